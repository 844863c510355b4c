#pragma once

#include "shim.h"

// A bf16 product whose weights have been copied into the layout that oneDNN likes best: what the processor can reach at
// most, against which products on weights as they are stored are measured.

// The layout that `description` wants its weights in. 2.6 is tested; the 3.x branch follows its documentation.
static inline dnnl_status_t onednn_packed_weights_create(
    dnnl_memory_t *packed, dnnl_engine_t engine, dnnl_stream_t stream, const_dnnl_primitive_desc_t description, int64_t columns,
    int64_t depth, const void *weights) {
    const dnnl_dims_t dims = {depth, columns}, strides = {1, depth};
    dnnl_memory_t stored = NULL;
    dnnl_primitive_desc_t reorder_description = NULL;
    dnnl_primitive_t reorder = NULL;
#if DNNL_VERSION_MAJOR >= 3
    const_dnnl_memory_desc_t wanted = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t given = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_with_strides(&given, 2, dims, dnnl_bf16, strides);
    if (status == dnnl_success) status = dnnl_memory_create(&stored, given, engine, (void *)weights);
    if (status == dnnl_success) status = dnnl_memory_create(packed, wanted, engine, DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&reorder_description, given, engine, wanted, engine, NULL);
    if (given) dnnl_memory_desc_destroy(given);
#else
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t given;
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&given, 2, dims, dnnl_bf16, strides);
    if (status == dnnl_success) status = dnnl_memory_create(&stored, &given, engine, (void *)weights);
    if (status == dnnl_success) status = dnnl_memory_create(packed, wanted, engine, DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&reorder_description, &given, engine, wanted, engine, NULL);
#endif
    if (status == dnnl_success) status = dnnl_primitive_create(&reorder, reorder_description);
    const dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, stored}, {DNNL_ARG_TO, *packed}};
    if (status == dnnl_success) status = dnnl_primitive_execute(reorder, stream, 2, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    if (reorder) dnnl_primitive_destroy(reorder);
    if (reorder_description) dnnl_primitive_desc_destroy(reorder_description);
    if (stored) dnnl_memory_destroy(stored);
    return status;
}

// target[rows, columns] = source[rows, depth] · weights, bf16 in, float32 out; `weights` lie as [columns, depth] and are copied.
static inline dnnl_status_t onednn_packed_product_create(
    onednn_product *product, dnnl_engine_t engine, dnnl_stream_t stream, int64_t rows, int64_t columns, int64_t depth,
    const void *weights) {
    const dnnl_dims_t source_dims = {rows, depth}, weight_dims = {depth, columns}, target_dims = {rows, columns};
    dnnl_primitive_desc_t description = NULL;
    *product = (onednn_product){0};
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t source = NULL, any = NULL, target = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&source, 2, source_dims, dnnl_bf16, dnnl_ab);
    if (status == dnnl_success) status = dnnl_memory_desc_create_with_tag(&any, 2, weight_dims, dnnl_bf16, dnnl_format_tag_any);
    if (status == dnnl_success) status = dnnl_memory_desc_create_with_tag(&target, 2, target_dims, dnnl_f32, dnnl_ab);
    if (status == dnnl_success) status = dnnl_matmul_primitive_desc_create(&description, engine, source, any, NULL, target, NULL);
    if (status == dnnl_success) status = dnnl_memory_create(&product->source, source, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->target, target, engine, DNNL_MEMORY_NONE);
    if (source) dnnl_memory_desc_destroy(source);
    if (any) dnnl_memory_desc_destroy(any);
    if (target) dnnl_memory_desc_destroy(target);
#else
    dnnl_memory_desc_t source, any, target;
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&source, 2, source_dims, dnnl_bf16, dnnl_ab);
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_tag(&any, 2, weight_dims, dnnl_bf16, dnnl_format_tag_any);
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_tag(&target, 2, target_dims, dnnl_f32, dnnl_ab);
    if (status == dnnl_success) status = dnnl_matmul_desc_init(&operation, &source, &any, NULL, &target);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&description, &operation, NULL, engine, NULL);
    if (status == dnnl_success) status = dnnl_memory_create(&product->source, &source, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->target, &target, engine, DNNL_MEMORY_NONE);
#endif
    if (status == dnnl_success)
        status = onednn_packed_weights_create(&product->weights, engine, stream, description, columns, depth, weights);
    if (status == dnnl_success) status = dnnl_primitive_create(&product->primitive, description);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&product->implementation);
    if (description) dnnl_primitive_desc_destroy(description);
    if (status != dnnl_success) onednn_product_destroy(product);
    return status;
}

// The weights are those that the product was made with.
static inline dnnl_status_t onednn_packed_product_execute(
    const onednn_product *product, dnnl_stream_t stream, const void *source, void *target) {
    dnnl_status_t status = dnnl_memory_set_data_handle(product->source, (void *)source);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(product->target, target);
    const dnnl_exec_arg_t arguments[3] = {
        {DNNL_ARG_SRC, product->source}, {DNNL_ARG_WEIGHTS, product->weights}, {DNNL_ARG_DST, product->target}};
    if (status == dnnl_success) status = dnnl_primitive_execute(product->primitive, stream, 3, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    return status;
}
