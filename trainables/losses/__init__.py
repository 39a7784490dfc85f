"""Losses: pure functions of tensors, which know no model."""
