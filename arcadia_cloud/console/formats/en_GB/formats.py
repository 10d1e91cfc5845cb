# Every time that the console shows is UTC, and says so.
DATETIME_FORMAT = "j M Y, H:i:s \\U\\T\\C"
SHORT_DATETIME_FORMAT = "j M Y, H:i \\U\\T\\C"
