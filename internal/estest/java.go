package estest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// findJava returns the home of the first Java that is new enough: ES_JAVA_HOME's,
// JAVA_HOME's, the PATH's, and what else a Linux system has installed.
func findJava(ctx context.Context, oldest int, account *account) (string, error) {
	var candidates []string
	for _, name := range []string{"ES_JAVA_HOME", "JAVA_HOME"} {
		if folder := os.Getenv(name); folder != "" {
			candidates = append(candidates, filepath.Join(folder, "bin", "java"))
		}
	}
	if java, err := exec.LookPath("java"); err == nil {
		candidates = append(candidates, java)
	}
	installed, err := filepath.Glob(filepath.Join(installedJava(), "*", "bin", "java"))
	if err != nil {
		return "", err // the pattern is right
	}
	candidates = append(candidates, installed...)
	var refused []error
	for _, java := range candidates {
		home, release, err := inspectJava(ctx, java, account)
		switch {
		case err != nil:
			refused = append(refused, err)
		case release < oldest:
			refused = append(refused, fmt.Errorf("%s is Java %d", java, release))
		default:
			return home, nil
		}
	}
	if len(candidates) == 0 {
		return "", fmt.Errorf("no java on the PATH, and JAVA_HOME is not set (Java %d or newer "+
			"is needed)", oldest)
	}
	return "", fmt.Errorf("no Java %d or newer: %w", oldest, errors.Join(refused...))
}

// installedJava is the folder that a Linux system installs its Javas in, or ESTEST_JAVA_FOLDER.
func installedJava() string {
	if folder := os.Getenv("ESTEST_JAVA_FOLDER"); folder != "" {
		return folder
	}
	return "/usr/lib/jvm"
}

func oldestJava(version string) int {
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 9 {
		return 21
	}
	return 17
}

// inspectJava asks Java itself: its home is not always where a link on the PATH leads. It asks as
// the user that the server will run as, so that a Java in a folder closed to that user is refused
// here, with its reason.
func inspectJava(ctx context.Context, java string,
	account *account) (home string, release int, err error) {
	cmd := exec.CommandContext(ctx, java, "-XshowSettings:properties", "-version")
	cmd.Dir = rootFolder()
	account.apply(cmd)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", 0, fmt.Errorf("run %s%s: %w%s", java, account, err, tail(output))
	}
	home = javaProperty(output, "java.home")
	release, err = strconv.Atoi(javaProperty(output, "java.specification.version"))
	if err != nil && javaProperty(output, "java.specification.version") == "1.8" {
		release, err = 8, nil
	}
	if home == "" || err != nil {
		return "", 0, fmt.Errorf("%s does not tell its home and version%s", java, tail(output))
	}
	return home, release, nil
}

func javaProperty(settings []byte, name string) string {
	found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(name) +
		` = (.*?)\s*$`).FindSubmatch(settings)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// rootFolder is a folder that every user can be in.
func rootFolder() string {
	if runtime.GOOS == "windows" {
		return os.TempDir()
	}
	return "/"
}
