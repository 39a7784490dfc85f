"""What is searched and what for, as plain data: a file of spaces and switches a method, objectives, presets."""
