package estest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Options say what a server must be. The zero value is a single node without security.
type Options struct {
	// Version of the server; default ESTEST_VERSION, then DefaultVersion.
	Version string
	// Settings of elasticsearch.yml, by their full names; they win over what estest sets itself.
	Settings map[string]any
	// Files go into the config folder beside elasticsearch.yml, such as certificates; the keys are
	// file names.
	Files map[string][]byte
	// Users switch security on. Each is known from files, so it is there from the first request.
	Users []User
	// TLS puts a certificate on the HTTP port and switches security on; Server.Authority signed it.
	TLS bool
	// Roles by name, each with the JSON that the role API takes.
	Roles map[string]string
	// Log is told what takes long; default: nobody.
	Log io.Writer

	product product // default: Elasticsearch
	own     bool    // never the cluster that ESTEST_URL names, though it may fit
	host    string  // where the server will be reached; default: this machine
}

// A User of a server with security.
type User struct {
	Name, Password string
	Roles          []string
}

// heap is enough for a million small events, and two servers fit on a small machine.
const heap = "512m"

// javaOptions are what the server's Java is told, and what ESTEST_JAVA_OPTS adds.
func javaOptions() string {
	return strings.TrimSpace("-Xms" + heap + " -Xmx" + heap + " " + os.Getenv("ESTEST_JAVA_OPTS"))
}

func (o Options) withDefaults() Options {
	if o.product == "" {
		o.product = productElasticsearch
	}
	if o.Version == "" {
		o.Version = os.Getenv("ESTEST_VERSION")
	}
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}

// fitsAnyServer says whether a server that somebody else set up will do.
func (o Options) fitsAnyServer() bool {
	return !o.own && len(o.Settings) == 0 && len(o.Files) == 0 && !o.TLS && len(o.Users) == 0 &&
		len(o.Roles) == 0
}

func (o Options) secured() bool { return o.TLS || len(o.Users) > 0 || len(o.Roles) > 0 }

// config is the content of a server's config folder, as far as it differs from what the server
// ships.
type config struct {
	settings  map[string]any
	files     map[string][]byte
	admin     User
	authority []byte // PEM; nil without TLS
}

func (c config) scheme() string {
	if c.authority != nil {
		return "https"
	}
	return "http"
}

// adminName is a user of estest's own, so that a server can be waited for and cleaned whatever the
// test's users may do.
const adminName = "estest"

func (o Options) config() (config, error) {
	c := config{
		settings: map[string]any{
			"cluster.name":   "estest",
			"discovery.type": "single-node",
			// A full disk would otherwise make every index read-only in the middle of a test.
			"cluster.routing.allocation.disk.threshold_enabled": false,
			// Each time that the server looks at its disks it takes away a full disk's block, also
			// one that a test has set.
			"cluster.info.update.interval": "24h",
			// On a machine that has much to do, a document that brings many new fields waits longer
			// than its 30 s.
			"indices.mapping.dynamic_timeout": "5m",
		},
		files: maps.Clone(o.Files),
	}
	if c.files == nil {
		c.files = map[string][]byte{}
	}
	if o.product == productElasticsearch {
		// Said either way: where it is not said, 8.x sets up security with TLS by itself.
		c.settings["xpack.security.enabled"] = o.secured()
	}
	if o.secured() {
		c.admin = User{Name: adminName, Password: randomName(16), Roles: []string{"superuser"}}
		if err := c.addUsers(append([]User{c.admin}, o.Users...)); err != nil {
			return config{}, err
		}
		if err := c.addRoles(o.Roles); err != nil {
			return config{}, err
		}
	}
	if o.TLS {
		if err := c.addTLS(o.host); err != nil {
			return config{}, err
		}
	}
	maps.Copy(c.settings, o.Settings)
	return c, nil
}

func (c config) addUsers(users []User) error {
	var passwords, roles strings.Builder
	for _, u := range users {
		// The lowest cost: the server computes it anew for each request that is not in its cache.
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), bcrypt.MinCost)
		if err != nil {
			return fmt.Errorf("hash the password of user %s: %w", u.Name, err)
		}
		fmt.Fprintf(&passwords, "%s:%s\n", u.Name, hash)
	}
	members := map[string][]string{}
	for _, u := range users {
		for _, role := range u.Roles {
			members[role] = append(members[role], u.Name)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(members)) {
		fmt.Fprintf(&roles, "%s:%s\n", role, strings.Join(members[role], ","))
	}
	c.files["users"] = []byte(passwords.String())
	c.files["users_roles"] = []byte(roles.String())
	return nil
}

// addRoles writes each role as a line: JSON is YAML too.
func (c config) addRoles(roles map[string]string) error {
	var file bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		fmt.Fprintf(&file, "%s: ", name)
		if err := json.Compact(&file, []byte(roles[name])); err != nil {
			return fmt.Errorf("role %s: %w", name, err)
		}
		file.WriteByte('\n')
	}
	c.files["roles.yml"] = file.Bytes()
	return nil
}

// yml is elasticsearch.yml.
func (c config) yml() ([]byte, error) {
	var file bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(c.settings)) {
		value, err := json.Marshal(c.settings[name])
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
		fmt.Fprintf(&file, "%s: %s\n", name, value)
	}
	return file.Bytes(), nil
}
