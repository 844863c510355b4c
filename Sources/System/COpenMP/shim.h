#pragma once

// The entry point that compilers call for `#pragma omp parallel` (GCC's libgomp ABI), so that Swift loops run in
// the same threads as oneDNN's, and the two settings that govern them. <omp.h> itself comes only with a compiler.

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
void omp_set_num_threads(int);
void omp_set_dynamic(int);
int omp_get_thread_limit(void);
int omp_in_parallel(void);
