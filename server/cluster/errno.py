"""Why a call on a file failed, in the system's words (``strerror``), by the sense that the error has here.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html (2.3 error numbers); the words are glibc's and musl's
"""

BUSY = "Resource busy"
CROSS_DEVICE = "Invalid cross-device link"
DENIED = "Permission denied"
EXISTS = "File exists"
INVALID = "Invalid argument"
IS_DIRECTORY = "Is a directory"
NAME_TOO_LONG = "File name too long"
NO_SPACE = "No space left on device"
NOT_DIRECTORY = "Not a directory"
NOT_EMPTY = "Directory not empty"
NOT_FOUND = "No such file or directory"
NOT_PERMITTED = "Operation not permitted"
READ_ONLY = "Read-only file system"
TOO_LARGE = "File too large"
TOO_MANY_LINKS = "Too many levels of symbolic links"
