module early.shoal

go 1.26
