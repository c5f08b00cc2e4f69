package estest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	image = "docker.elastic.co/elasticsearch/elasticsearch"
	// engineTimeout is how long a Docker engine may take to answer before it counts as absent.
	engineTimeout = 2 * time.Second
	httpPort      = "9200/tcp"
	configFolder  = "/usr/share/elasticsearch/config/"
)

// startContainer runs the full image. testcontainers' reaper removes the container should this process be killed.
func startContainer(ctx context.Context, o Options) (*Server, error) {
	if err := engineAnswers(ctx); err != nil {
		return nil, err
	}
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	c.settings["network.host"] = "0.0.0.0"
	files, err := c.containerFiles()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Log, "estest: starting Elasticsearch %s in a container\n", o.Version)
	ctr, err := testcontainers.Run(ctx, image+":"+o.Version,
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithEnv(map[string]string{"ES_JAVA_OPTS": javaOptions()}),
		testcontainers.WithFiles(files...),
		testcontainers.WithExposedPorts(httpPort),
		testcontainers.WithWaitStrategyAndDeadline(2*time.Minute, wait.ForListeningPort(httpPort)),
	)
	stop := func() error { return testcontainers.TerminateContainer(ctr) }
	if err != nil {
		err = fmt.Errorf("run %s:%s: %w%s", image, o.Version, err, containerLog(ctr))
		return nil, errors.Join(err, stop())
	}
	address, err := ctr.PortEndpoint(ctx, httpPort, c.scheme())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find the container's port: %w", err), stop())
	}
	s := &Server{URL: address, From: FromContainer, Username: c.admin.Name, Password: c.admin.Password, Authority: c.authority, stop: stop}
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.waitUntilReady(ready); err != nil {
		return nil, errors.Join(fmt.Errorf("%w%s", err, containerLog(ctr)), stop())
	}
	return s, nil
}

// engineAnswers finds out whether there is a Docker engine. testcontainers asks without a deadline, and a dead
// address in DOCKER_HOST would hold it for minutes, so it is left behind when it does not come back in time.
func engineAnswers(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() {
		provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
		if err == nil {
			err = provider.Health(ctx) // closes the provider too
		}
		answer <- err
	}()
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("no Docker engine answers: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(engineTimeout):
		return fmt.Errorf("no Docker engine answered within %s", engineTimeout)
	}
}

func (c config) containerFiles() ([]testcontainers.ContainerFile, error) {
	yml, err := c.yml()
	if err != nil {
		return nil, err
	}
	file := func(name string, content []byte) testcontainers.ContainerFile {
		return testcontainers.ContainerFile{
			Reader:            bytes.NewReader(content),
			ContainerFilePath: configFolder + name,
			FileMode:          0o644, // the server is another user than the one that copies
		}
	}
	files := []testcontainers.ContainerFile{file("elasticsearch.yml", yml)}
	for name, content := range c.files {
		files = append(files, file(name, content))
	}
	return files, nil
}

// containerLog is the end of a container's log, for an error.
func containerLog(ctr *testcontainers.DockerContainer) string {
	if ctr == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	log, err := ctr.Logs(ctx)
	if err != nil {
		return ""
	}
	defer log.Close()
	content, _ := io.ReadAll(log)
	return tail(content)
}
