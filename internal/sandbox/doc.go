// Package sandbox renders golden paths that nobody has looked at: those of a pull
// request, which anybody may open.
//
// The template engine has bounds of its own. Should one of them have a hole, a
// template could take all memory, overflow the stack, which no program survives, or
// never end. So rendering happens in a process of its own: this program again, with a
// hidden verb, without environment, and bounded in address space (on Linux), stack
// and time. What it says comes over a pipe, is bounded in size, and is data: files
// and texts. If it dies, a [BrokenError] says of what, and the caller lives.
package sandbox
