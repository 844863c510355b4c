#pragma once

#include <dnnl.h>
#include <stdlib.h>

// One bf16 matrix product of an exact shape: the few calls that differ between oneDNN 2.x and 3.x in one place.
// 2.6 is tested; the 3.x branch follows its documentation.

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, target;
    dnnl_primitive_t packing;   // copies weights into `packed`, in the order in which the kernel reads them; or NULL
    dnnl_memory_t packed;
    size_t packed_bytes;
    const char *implementation; // oneDNN's name of the kernel, such as "brg:avx512_core_bf16"
} onednn_product;

// target[rows, columns] (+)= source[rows, depth] · weights, bf16 in, all dense.
typedef struct {
    int64_t rows, columns, depth;
    int transposed;  // weights lie as [columns, depth], else as [depth, columns]
    int accumulate;  // the product is added to what target holds
    int bf16_target; // target is bf16, else float32
    int packed;      // weights are first copied into the kernel's own order
} onednn_shape;

static inline void onednn_product_destroy(onednn_product *product) {
    if (product->primitive) dnnl_primitive_destroy(product->primitive);
    if (product->packing) dnnl_primitive_destroy(product->packing);
    if (product->source) dnnl_memory_destroy(product->source);
    if (product->weights) dnnl_memory_destroy(product->weights);
    if (product->target) dnnl_memory_destroy(product->target);
    if (product->packed) dnnl_memory_destroy(product->packed);
    *product = (onednn_product){0};
}

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t onednn_layout;
static inline const_dnnl_memory_desc_t onednn_layout_of(const onednn_layout *layout) { return *layout; }
static inline void onednn_layout_destroy(onednn_layout *layout) { if (*layout) dnnl_memory_desc_destroy(*layout); }
static inline dnnl_status_t onednn_layout_create(
    onednn_layout *layout, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
    *layout = NULL;
    return strides ? dnnl_memory_desc_create_with_strides(layout, 2, dims, type, strides)
                   : dnnl_memory_desc_create_with_tag(layout, 2, dims, type, dnnl_format_tag_any);
}
static inline dnnl_status_t onednn_matmul_describe(
    dnnl_primitive_desc_t *description, dnnl_engine_t engine, const onednn_layout *source, const onednn_layout *weights,
    const onednn_layout *target, dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(description, engine, *source, *weights, NULL, *target, attributes);
}
static inline dnnl_status_t onednn_append_sum(dnnl_post_ops_t operations, dnnl_data_type_t type) {
    return dnnl_post_ops_append_sum(operations, 1.0f, 0, type);
}
#else
typedef dnnl_memory_desc_t onednn_layout;
static inline const dnnl_memory_desc_t *onednn_layout_of(const onednn_layout *layout) { return layout; }
static inline void onednn_layout_destroy(onednn_layout *layout) { (void)layout; }
static inline dnnl_status_t onednn_layout_create(
    onednn_layout *layout, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
    return strides ? dnnl_memory_desc_init_by_strides(layout, 2, dims, type, strides)
                   : dnnl_memory_desc_init_by_tag(layout, 2, dims, type, dnnl_format_tag_any);
}
static inline dnnl_status_t onednn_matmul_describe(
    dnnl_primitive_desc_t *description, dnnl_engine_t engine, const onednn_layout *source, const onednn_layout *weights,
    const onednn_layout *target, dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, source, weights, NULL, target);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &operation, attributes, engine, NULL);
    return status;
}
static inline dnnl_status_t onednn_append_sum(dnnl_post_ops_t operations, dnnl_data_type_t type) {
    (void)type;
    return dnnl_post_ops_append_sum(operations, 1.0f);
}
#endif

// The copy of `weights` into the order that the kernel described by `description` wants.
static inline dnnl_status_t onednn_packing_create(
    onednn_product *product, dnnl_engine_t engine, const onednn_layout *weights, const_dnnl_primitive_desc_t description) {
    dnnl_primitive_desc_t packing = NULL;
#if DNNL_VERSION_MAJOR >= 3
    const_dnnl_memory_desc_t wanted = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
#else
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
#endif
    product->packed_bytes = dnnl_memory_desc_get_size(wanted);
    dnnl_status_t status = dnnl_memory_create(&product->packed, wanted, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&packing, onednn_layout_of(weights), engine, wanted, engine, NULL);
    if (status == dnnl_success) status = dnnl_primitive_create(&product->packing, packing);
    if (packing) dnnl_primitive_desc_destroy(packing);
    return status;
}

static inline dnnl_status_t onednn_product_create(onednn_product *product, dnnl_engine_t engine, onednn_shape shape) {
    const int64_t rows = shape.rows, columns = shape.columns, depth = shape.depth;
    const dnnl_dims_t source_dims = {rows, depth}, source_strides = {depth, 1};
    const dnnl_dims_t weight_dims = {depth, columns};
    const dnnl_dims_t weight_strides = {shape.transposed ? 1 : columns, shape.transposed ? depth : 1};
    const dnnl_dims_t target_dims = {rows, columns}, target_strides = {columns, 1};
    const dnnl_data_type_t target_type = shape.bf16_target ? dnnl_bf16 : dnnl_f32;
    onednn_layout source = {0}, weights = {0}, wanted = {0}, target = {0};
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    dnnl_primitive_desc_t description = NULL;
    *product = (onednn_product){0};

    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success && shape.accumulate) {
        status = dnnl_post_ops_create(&operations);
        if (status == dnnl_success) status = onednn_append_sum(operations, target_type);
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    }
    if (status == dnnl_success) status = onednn_layout_create(&source, source_dims, dnnl_bf16, source_strides);
    if (status == dnnl_success) status = onednn_layout_create(&weights, weight_dims, dnnl_bf16, weight_strides);
    if (status == dnnl_success)
        status = onednn_layout_create(&wanted, weight_dims, dnnl_bf16, shape.packed ? NULL : weight_strides);
    if (status == dnnl_success) status = onednn_layout_create(&target, target_dims, target_type, target_strides);
    if (status == dnnl_success) status = onednn_matmul_describe(&description, engine, &source, &wanted, &target, attributes);
    if (status == dnnl_success)
        status = dnnl_memory_create(&product->source, onednn_layout_of(&source), engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&product->weights, onednn_layout_of(&weights), engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&product->target, onednn_layout_of(&target), engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success && shape.packed) status = onednn_packing_create(product, engine, &weights, description);
    if (status == dnnl_success) status = dnnl_primitive_create(&product->primitive, description);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&product->implementation);
    if (description) dnnl_primitive_desc_destroy(description);
    if (operations) dnnl_post_ops_destroy(operations);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    onednn_layout_destroy(&source);
    onednn_layout_destroy(&weights);
    onednn_layout_destroy(&wanted);
    onednn_layout_destroy(&target);
    if (status != dnnl_success) onednn_product_destroy(product);
    return status;
}

// Copies the weights into `workspace`, of `packed_bytes` bytes, in the kernel's order; only for products that were made to.
static inline dnnl_status_t onednn_product_pack(
    const onednn_product *product, dnnl_stream_t stream, const void *weights, void *workspace) {
    dnnl_status_t status = dnnl_memory_set_data_handle(product->weights, (void *)weights);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(product->packed, workspace);
    const dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, product->weights}, {DNNL_ARG_TO, product->packed}};
    if (status == dnnl_success) status = dnnl_primitive_execute(product->packing, stream, 2, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    return status;
}

// `weights` are the packed ones where the product was made for them, else as they are stored.
static inline dnnl_status_t onednn_product_execute(
    const onednn_product *product, dnnl_stream_t stream, const void *source, const void *weights, void *target) {
    const dnnl_memory_t read = product->packing ? product->packed : product->weights;
    dnnl_status_t status = dnnl_memory_set_data_handle(product->source, (void *)source);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(read, (void *)weights);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(product->target, target);
    const dnnl_exec_arg_t arguments[3] = {
        {DNNL_ARG_SRC, product->source}, {DNNL_ARG_WEIGHTS, read}, {DNNL_ARG_DST, product->target}};
    if (status == dnnl_success) status = dnnl_primitive_execute(product->primitive, stream, 3, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    return status;
}
