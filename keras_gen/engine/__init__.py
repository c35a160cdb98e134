"""What repeats in every model and no paper says: configuration, gradients, inputs, serving."""
