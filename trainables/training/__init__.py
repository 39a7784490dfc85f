"""What training is made of: data, optimizers, the teacher, and workers that share a step."""
