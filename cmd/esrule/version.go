package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// The linker sets both (-ldflags "-X main.version=1.2.3 -X main.commit=0123abc"). They are empty in
// a plain `go build`, which notes the commit itself; the image is built without the repository, so
// there the commit is given.
var version, commit string

// buildInfo says which program this is, for a bug report.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a tree with uncommitted changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuildInfo() buildInfo {
	info := buildInfo{Version: version, Commit: commit, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.Version = cmp.Or(info.Version, build.Main.Version)
		for _, s := range build.Settings {
			switch s.Key {
			case "vcs.revision":
				info.Commit = cmp.Or(info.Commit, s.Value)
			case "vcs.modified":
				info.Modified = s.Value == "true"
			}
		}
	}
	info.Version = cmp.Or(info.Version, "(devel)")
	return info
}

// userAgent names the program in the cluster's audit log.
func userAgent() string {
	b := readBuildInfo()
	return fmt.Sprintf("esrule/%s (%s; %s)", b.Version, b.Platform, b.Go)
}

func (b buildInfo) print(w io.Writer) error {
	commit := cmp.Or(b.Commit, "unknown")
	if b.Modified {
		commit += " with local changes"
	}
	_, err := fmt.Fprintf(w, "esrule %s\ncommit %s\nbuilt with %s for %s\n", b.Version, commit,
		b.Go, b.Platform)
	return err
}

func newVersionCommand(a *app) *cobra.Command {
	format := newChoice("text", "json")
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Example: `  esrule version
  esrule version --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format.value == "json" {
				return json.NewEncoder(a.stdout).Encode(readBuildInfo())
			}
			return readBuildInfo().print(a.stdout)
		},
	}
	format.register(cmd, "how to print it")
	return cmd
}
