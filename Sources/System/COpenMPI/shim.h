#pragma once

#include <mpi.h>
#include <sched.h>
#include <stddef.h>

// Open MPI's handles are macros with casts, which Swift cannot import. Each that Comm uses has a function here.

static inline MPI_Comm shoal_comm_world(void) { return MPI_COMM_WORLD; }
static inline const void *shoal_in_place(void) { return MPI_IN_PLACE; }

static inline MPI_Datatype shoal_type_uint8(void) { return MPI_UINT8_T; }
static inline MPI_Datatype shoal_type_uint16(void) { return MPI_UINT16_T; }
static inline MPI_Datatype shoal_type_uint64(void) { return MPI_UINT64_T; }
static inline MPI_Datatype shoal_type_int32(void) { return MPI_INT32_T; }
static inline MPI_Datatype shoal_type_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype shoal_type_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype shoal_type_double(void) { return MPI_DOUBLE; }

static inline MPI_Op shoal_op_sum(void) { return MPI_SUM; }
static inline MPI_Op shoal_op_max(void) { return MPI_MAX; }
static inline MPI_Op shoal_op_min(void) { return MPI_MIN; }

/// MPI for programs whose first thread alone calls it. `granted` is 0 when the library does not promise that.
static inline int shoal_init(int *granted) {
    int provided = MPI_THREAD_SINGLE;
    int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    *granted = provided >= MPI_THREAD_FUNNELED;
    return status;
}

/// Calls return their status from here on, instead of ending the process.
static inline int shoal_return_errors(void) { return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); }

/// The ranks that share memory with this one, in world order.
static inline int shoal_split_by_host(int rank, MPI_Comm *local) {
    return MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, local);
}

/// The ranks of `world` that give the same `group` (0 or more), in its order.
static inline int shoal_split_by_group(MPI_Comm world, int group, int rank, MPI_Comm *members) {
    int status = MPI_Comm_split(world, group, rank, members);
    return status == MPI_SUCCESS ? MPI_Comm_set_errhandler(*members, MPI_ERRORS_RETURN) : status;
}

/// Waits for one request, whose status nobody reads.
static inline int shoal_wait(MPI_Request *request) { return MPI_Wait(request, MPI_STATUS_IGNORE); }

/// Fills `set` with the cores that this process may run on. 0 on success.
static inline int shoal_cores(void *set, size_t bytes) { return sched_getaffinity(0, bytes, (cpu_set_t *)set); }

enum { SHOAL_ERROR_STRING_BYTES = MPI_MAX_ERROR_STRING };
