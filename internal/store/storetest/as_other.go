//go:build !unix

package storetest

import (
	"errors"
	"os/exec"
	"os/user"
)

func runAs(*user.User, string) (func(*exec.Cmd), error) {
	return nil, errors.New("running PostgreSQL as another user is not possible on this system")
}
