"""One file for each kind of data: from its official files to `datasets.data.TaskData`."""
