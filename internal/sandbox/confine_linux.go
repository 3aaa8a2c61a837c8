package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// confine lets this process map so many bytes more than it has mapped now, write no
// files and leave no core. Go has mapped much at the start that it only reserves, so
// that a bound that leaves no room for it would end every process.
func confine(memory int64) error {
	now, err := mapped()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		bound    uint64
	}{
		{syscall.RLIMIT_AS, uint64(now + memory)}, //nolint:gosec // neither is negative
		{syscall.RLIMIT_FSIZE, 0},
		{syscall.RLIMIT_CORE, 0},
	} {
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.bound, Max: l.bound}); err != nil {
			return fmt.Errorf("setrlimit %d: %w", l.resource, err)
		}
	}
	return nil
}

// mapped returns the size of this process's address space, the first number of
// /proc/self/statm, in pages (proc_pid_statm(5)).
func mapped() (int64, error) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(data, []byte(" "))
	pages, err := strconv.ParseInt(string(first), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
