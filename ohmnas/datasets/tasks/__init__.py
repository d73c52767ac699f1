"""Tasks: labelled images and audio in three splits, with loaders for official files and for your own data."""
