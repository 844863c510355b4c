#pragma once

#include <dnnl.h>
#include <stdlib.h>

// One bf16 matrix product of an exact shape: the few calls that differ between oneDNN 2.x and 3.x in one place.
// 2.6 is tested; the 3.x branch follows its documentation.

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, target;
    const char *implementation; // oneDNN's name of the kernel, such as "brg:avx512_core_bf16"
} onednn_product;

static inline void onednn_product_destroy(onednn_product *product) {
    if (product->primitive) dnnl_primitive_destroy(product->primitive);
    if (product->source) dnnl_memory_destroy(product->source);
    if (product->weights) dnnl_memory_destroy(product->weights);
    if (product->target) dnnl_memory_destroy(product->target);
    *product = (onednn_product){0};
}

// target[rows, columns] (+)= source[rows, depth] · weights, bf16 in, float32 out, all dense.
// weights lie as [columns, depth] when `transposed`, else as [depth, columns].
static inline dnnl_status_t onednn_product_create(
    onednn_product *product, dnnl_engine_t engine, int64_t rows, int64_t columns, int64_t depth, int transposed, int accumulate) {
    const dnnl_dims_t source_dims = {rows, depth}, source_strides = {depth, 1};
    const dnnl_dims_t weight_dims = {depth, columns};
    const dnnl_dims_t weight_strides = {transposed ? 1 : columns, transposed ? depth : 1};
    const dnnl_dims_t target_dims = {rows, columns}, target_strides = {columns, 1};
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    dnnl_primitive_desc_t description = NULL;
    *product = (onednn_product){0};

    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success && accumulate) {
        status = dnnl_post_ops_create(&operations);
#if DNNL_VERSION_MAJOR >= 3
        if (status == dnnl_success) status = dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_f32);
#else
        if (status == dnnl_success) status = dnnl_post_ops_append_sum(operations, 1.0f);
#endif
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    }
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t source = NULL, weights = NULL, target = NULL;
    if (status == dnnl_success) status = dnnl_memory_desc_create_with_strides(&source, 2, source_dims, dnnl_bf16, source_strides);
    if (status == dnnl_success) status = dnnl_memory_desc_create_with_strides(&weights, 2, weight_dims, dnnl_bf16, weight_strides);
    if (status == dnnl_success) status = dnnl_memory_desc_create_with_strides(&target, 2, target_dims, dnnl_f32, target_strides);
    if (status == dnnl_success)
        status = dnnl_matmul_primitive_desc_create(&description, engine, source, weights, NULL, target, attributes);
    if (status == dnnl_success) status = dnnl_memory_create(&product->source, source, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->weights, weights, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->target, target, engine, DNNL_MEMORY_NONE);
    if (source) dnnl_memory_desc_destroy(source);
    if (weights) dnnl_memory_desc_destroy(weights);
    if (target) dnnl_memory_desc_destroy(target);
#else
    dnnl_memory_desc_t source, weights, target;
    dnnl_matmul_desc_t operation;
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_strides(&source, 2, source_dims, dnnl_bf16, source_strides);
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_strides(&weights, 2, weight_dims, dnnl_bf16, weight_strides);
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_strides(&target, 2, target_dims, dnnl_f32, target_strides);
    if (status == dnnl_success) status = dnnl_matmul_desc_init(&operation, &source, &weights, NULL, &target);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&description, &operation, attributes, engine, NULL);
    if (status == dnnl_success) status = dnnl_memory_create(&product->source, &source, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->weights, &weights, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&product->target, &target, engine, DNNL_MEMORY_NONE);
#endif
    if (status == dnnl_success) status = dnnl_primitive_create(&product->primitive, description);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&product->implementation);
    if (description) dnnl_primitive_desc_destroy(description);
    if (operations) dnnl_post_ops_destroy(operations);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success) onednn_product_destroy(product);
    return status;
}

static inline dnnl_status_t onednn_product_execute(
    const onednn_product *product, dnnl_stream_t stream, const void *source, const void *weights, void *target) {
    dnnl_status_t status = dnnl_memory_set_data_handle(product->source, (void *)source);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(product->weights, (void *)weights);
    if (status == dnnl_success) status = dnnl_memory_set_data_handle(product->target, target);
    const dnnl_exec_arg_t arguments[3] = {
        {DNNL_ARG_SRC, product->source}, {DNNL_ARG_WEIGHTS, product->weights}, {DNNL_ARG_DST, product->target}};
    if (status == dnnl_success) status = dnnl_primitive_execute(product->primitive, stream, 3, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    return status;
}
