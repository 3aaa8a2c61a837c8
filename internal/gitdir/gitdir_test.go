package gitdir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-git/go-billy/v5"

	"github.com/goldenpaths/syncer/internal/gitdir"
)

// What comes and goes while a folder is listed does not hide what stays.
func TestReadDirWhileOthersWrite(t *testing.T) {
	dir := t.TempDir()
	pack := filepath.Join(dir, "objects", "pack")
	if err := os.MkdirAll(pack, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pack, "pack-1.pack"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-stopped }()
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := filepath.Join(pack, "tmp_obj_"+strconv.Itoa(i%50))
			if os.WriteFile(name, nil, 0o600) == nil {
				_ = os.Remove(name)
			}
		}
	}()
	root := gitdir.New(dir)
	below, err := root.Chroot("objects")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		for where, in := range map[string]billy.Filesystem{"objects/pack": root, "pack": below} {
			infos, err := in.ReadDir(where)
			if err != nil || len(infos) == 0 || infos[0].Name() != "pack-1.pack" {
				t.Fatalf("listing %d of %s: %v, %v", i, where, infos, err)
			}
		}
	}
}

func TestReadDirOfNothing(t *testing.T) {
	if _, err := gitdir.New(t.TempDir()).ReadDir("objects/pack"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadDir of a folder that is not there: %v", err)
	}
}
