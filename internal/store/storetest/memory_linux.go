package storetest

import "syscall"

// memory is a folder for files in memory, "" where there is none with room to spare.
func memory() string {
	const folder, room = "/dev/shm", 1 << 30
	var there syscall.Statfs_t
	if syscall.Statfs(folder, &there) != nil || there.Bavail*uint64(there.Bsize) < room { //nolint:gosec // a size
		return ""
	}
	return folder
}
