package estest

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// copyGoal is pinned, so that what is downloaded does not depend on the machine's Maven.
const copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"

// startDistribution runs the server's own test distribution: the real server with fewer modules (no
// wildcard or constant_keyword type, no scripts; see Portable).
func startDistribution(ctx context.Context, o Options) (*Server, error) {
	account := serverAccount()
	java, err := findJava(ctx, o.product.oldestJava(o.Version), account)
	if err != nil {
		return nil, err
	}
	home, err := distribution(ctx, o)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Log, "estest: starting %s %s, the test distribution\n", o.product, o.Version)
	return startNode(ctx, o, node{home: home, java: java, account: account, product: o.product})
}

// distribution gives the folder of the unpacked server, fetching it on the first call on this
// machine. Test processes that start at the same moment wait for the first.
func distribution(ctx context.Context, o Options) (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, o.product.command()+"-"+o.Version)
	if exists(home) {
		return home, nil
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(cache, "lock")).Lock()
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", cache, err)
	}
	defer unlock()
	if exists(home) {
		return home, nil
	}
	fmt.Fprintf(o.Log, "estest: fetching %s %s from Maven Central (about 100 MB, once)\n",
		o.product, o.Version)
	work, err := os.MkdirTemp(cache, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	archive, err := download(ctx, o, work)
	if err != nil {
		return "", err
	}
	if err := unpack(archive, work); err != nil {
		return "", fmt.Errorf("unpack %s: %w", filepath.Base(archive), err)
	}
	// The rename makes it appear whole or not at all, whenever this process is killed.
	if err := os.Rename(filepath.Join(work, filepath.Base(home)), home); err != nil {
		return "", fmt.Errorf("put the server into %s: %w", cache, err)
	}
	return home, nil
}

// download lets Maven fetch the archive: it knows the user's mirrors and proxies and checks the
// checksum.
func download(ctx context.Context, o Options, folder string) (archive string, err error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", errors.New("no mvn on the PATH (Maven fetches the server)")
	}
	artifact := o.product.artifact(o.Version)
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", copyGoal, "-Dartifact="+artifact,
		"-DoutputDirectory="+folder)
	cmd.Dir = folder // where there is no pom.xml to take for the project's
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn could not fetch %s: %w%s", artifact, err, tail(output))
	}
	return filepath.Join(folder, o.product.command()+"-"+o.Version+".zip"), nil
}

func unpack(archive, folder string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, f := range reader.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("%q leads out of the archive", f.Name)
		}
		if err := extract(f, filepath.Join(folder, filepath.FromSlash(f.Name))); err != nil {
			return err
		}
	}
	return nil
}

// extract sets modes explicitly: under a strict umask the server's own user could not read its
// files.
func extract(f *zip.File, path string) error {
	if f.FileInfo().IsDir() {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		return os.Chmod(path, 0o755)
	}
	mode := fs.FileMode(0o644)
	if f.Mode()&0o100 != 0 {
		mode = 0o755
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return err
	}
	return errors.Join(to.Close(), os.Chmod(path, mode))
}

// cacheFolder is ESTEST_CACHE, or the user's own. Root's home is closed to the user that the server
// then runs as, and in a temporary folder anybody could have put a server of theirs: root takes the
// system's cache folder.
func cacheFolder() (string, error) {
	folder := os.Getenv("ESTEST_CACHE")
	if folder == "" {
		parent, err := os.UserCacheDir()
		if os.Geteuid() == 0 {
			parent, err = "/var/cache", nil
		}
		if err != nil {
			return "", fmt.Errorf("find a cache folder (or set ESTEST_CACHE): %w", err)
		}
		folder = filepath.Join(parent, "esrule-estest")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	if os.Geteuid() == 0 {
		return folder, os.Chmod(folder, 0o755)
	}
	return folder, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tail is the end of a log on lines of its own, for an error.
func tail(log []byte) string {
	const lines = 30
	all := strings.Split(strings.TrimSpace(string(log)), "\n")
	if len(all) > lines {
		all = append([]string{"..."}, all[len(all)-lines:]...)
	}
	return "\n" + strings.Join(all, "\n")
}
