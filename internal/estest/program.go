package estest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// BuildProgram builds esrule into a folder, with further flags of go build, and gives the file: for
// whoever runs it against a server as a user does.
func BuildProgram(ctx context.Context, folder string, flags ...string) (string, error) {
	file := filepath.Join(folder, "esrule")
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	args := slices.Concat([]string{"build"}, flags, []string{"-o", file, "esrule/cmd/esrule"})
	if output, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build esrule: %w\n%s", err, output)
	}
	return file, nil
}
