package estest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolderOfServers(t *testing.T) {
	f := func(folder, want string) {
		t.Helper()
		if got := memoryFolder(folder); got != want {
			t.Errorf("in memory, of %s: got %q, want %q", folder, got, want)
		}
	}
	f(filepath.Join(t.TempDir(), "missing"), "")
	f("/proc", "")

	parent := t.TempDir()
	t.Setenv("ESTEST_FOLDER", parent)
	folder, err := newFolder()
	if err != nil || filepath.Dir(folder) != parent {
		t.Errorf("with ESTEST_FOLDER=%s: got %q, %v", parent, folder, err)
	}
	t.Setenv("ESTEST_FOLDER", "")
	folder, err = newFolder()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if got := filepath.Dir(folder); got != "/dev/shm" && got != filepath.Clean(os.TempDir()) {
		t.Errorf("got %q, neither in memory nor where temporary files go", folder)
	}
}
