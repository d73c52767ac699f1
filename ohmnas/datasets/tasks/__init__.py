"""Tasks: images and audio with their labels, split, with loaders for official files and for your own."""
