package estest

import (
	"errors"
	"strings"
	"testing"
)

func TestOldestJava(t *testing.T) {
	f := func(version string, want int) {
		t.Helper()
		if got := oldestJava(version); got != want {
			t.Errorf("%s: got %d, want %d", version, got, want)
		}
	}
	f("7.17.29", 17)
	f("8.19.13", 17)
	f("9.2.0", 21)
	f("10.0.0", 21)
}

func TestJavaProperty(t *testing.T) {
	f := func(settings, name, want string) {
		t.Helper()
		if got := javaProperty([]byte(settings), name); got != want {
			t.Errorf("%s in %q: got %q, want %q", name, settings, got, want)
		}
	}
	const printed = "Property settings:\n    java.home = /opt/a java\n    java.home.other = " +
		"x\r\n    java.specification.version = 17\r\n"
	f(printed, "java.home", "/opt/a java")
	f(printed, "java.specification.version", "17")
	f(printed, "java", "")
}

func TestWhereNothingIsInstalledTheErrorSaysWhatToInstall(t *testing.T) {
	for _, name := range []string{"JAVA_HOME", "ES_JAVA_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("ESTEST_JAVA_FOLDER", t.TempDir())
	_, fromDistribution := startDistribution(t.Context(), Options{}.withDefaults())
	if fromDistribution == nil {
		t.Fatal("it started without Java")
	}
	err := &unavailableError{version: "1.2.3", container: errors.New("no engine\nat all"),
		distribution: fromDistribution}
	for _, part := range []string{"1.2.3", "no engine\n    at all", "no java on the PATH",
		"Docker engine", "Java 17", "Maven", "ESTEST_URL"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, which lacks %q", err, part)
		}
	}
}
