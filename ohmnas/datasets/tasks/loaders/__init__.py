"""One module per kind of data: from official files to `tasks.data.TaskData`."""
