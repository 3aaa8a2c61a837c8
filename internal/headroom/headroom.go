// Package headroom makes garbage be collected only after much was used. It imports
// nothing that has to be initialized, so that Go initializes it before the libraries
// that allocate when they are loaded: most verbs are done before the first
// collection then.
package headroom

import "runtime"

// bytes is how much is used before garbage is collected.
const bytes = 64 << 20

// memory is never touched, and so never taken from the system.
var memory = make([]byte, bytes)

// Keep holds the headroom until it is called: defer it in main.
func Keep() { runtime.KeepAlive(memory) }
