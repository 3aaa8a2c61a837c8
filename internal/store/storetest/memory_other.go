//go:build !linux

package storetest

// memory is "": nothing is known to be one everywhere.
func memory() string { return "" }
