"""The sources of data, one file each: each loads one kind of name, file or folder."""
