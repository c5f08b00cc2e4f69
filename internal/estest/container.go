package estest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	image = "docker.elastic.co/elasticsearch/elasticsearch"
	// engineTimeout is how long a Docker engine may take to answer before it counts as absent.
	engineTimeout = 2 * time.Second
	// registryTimeout is how long a registry may take until it begins to send an image.
	registryTimeout = 15 * time.Second
	httpPort        = "9200/tcp"
	configFolder    = "/usr/share/elasticsearch/config/"
)

// startContainer runs the full image. testcontainers' reaper removes the container if this process
// is killed.
func startContainer(ctx context.Context, o Options) (*Server, error) {
	host, err := engineHost(ctx)
	if err != nil {
		return nil, err
	}
	if err := fetchImages(ctx, o); err != nil {
		return nil, err
	}
	o.host = host
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
	ctr, err := testcontainers.Run(ctx, o.image(),
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithEnv(map[string]string{"ES_JAVA_OPTS": javaOptions()}),
		testcontainers.WithFiles(files...),
		testcontainers.WithExposedPorts(httpPort),
		// Both limits are needed: the inner one is 60 s unless it is set, whatever the outer one
		// says.
		testcontainers.WithWaitStrategyAndDeadline(startTimeout,
			wait.ForListeningPort(httpPort).WithStartupTimeout(startTimeout)),
	)
	stop := func() error { return testcontainers.TerminateContainer(ctr) }
	if err != nil {
		err = fmt.Errorf("run %s: %w%s", o.image(), err, containerLog(ctr))
		return nil, errors.Join(err, stop())
	}
	address, err := ctr.PortEndpoint(ctx, httpPort, c.scheme())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find the container's port: %w", err), stop())
	}
	s := &Server{
		URL: address, From: FromContainer, Username: c.admin.Name, Password: c.admin.Password,
		Authority: c.authority, stop: stop,
	}
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.waitUntilReady(ready); err != nil {
		return nil, errors.Join(fmt.Errorf("%w%s", err, containerLog(ctr)), stop())
	}
	return s, nil
}

func (o Options) image() string { return image + ":" + o.Version }

// engineHost finds out whether there is a Docker engine, and returns the host at which its
// containers' ports are reached. testcontainers asks without a deadline, and a dead address in
// DOCKER_HOST would hold it for minutes, so its answer is waited for only so long.
func engineHost(ctx context.Context) (string, error) {
	// WithLogger does not reach all: a banner about the engine, and the reaper's news, go to the
	// default logger.
	silence()
	type answer struct {
		host string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		provider, err := testcontainers.NewDockerProvider()
		if err == nil {
			err = provider.Health(ctx) // closes the provider too
		}
		if err != nil {
			answers <- answer{err: err}
			return
		}
		host, err := provider.DaemonHost(ctx)
		answers <- answer{host, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("no Docker engine answers: %w", a.err)
		}
		return a.host, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(engineTimeout):
		return "", fmt.Errorf("no Docker engine answered within %s", engineTimeout)
	}
}

// silence keeps testcontainers from printing into the output of tests; what fails comes back as an
// error.
var silence = sync.OnceFunc(func() { tclog.SetDefault(tclog.NewNoopLogger()) })

// fetchImages makes sure that the engine has what a container needs. testcontainers fetches images
// too, but retries for a quarter of an hour where the engine reaches no registry.
func fetchImages(ctx context.Context, o Options) error {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return fmt.Errorf("connect to the Docker engine: %w", err)
	}
	defer provider.Close()
	images := []string{o.image()}
	if !provider.Config().RyukDisabled {
		//nolint:staticcheck // nothing else tells which image the reaper is
		images = append(images, testcontainers.ReaperDefaultImage)
	}
	for _, name := range images {
		if err := fetchImage(ctx, provider.Client(), name, o.Log); err != nil {
			return fmt.Errorf("the Docker engine has no image %s, and cannot fetch it: %w", name,
				err)
		}
	}
	return nil
}

func fetchImage(ctx context.Context, engine client.APIClient, name string, log io.Writer) error {
	if _, err := engine.ImageInspect(ctx, name); err == nil {
		return nil
	}
	fmt.Fprintf(log, "estest: fetching the image %s\n", name)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Only for the registry to begin: the image itself may take long.
	limit := time.AfterFunc(registryTimeout, func() {
		cancel(fmt.Errorf("no registry answered within %s", registryTimeout))
	})
	pull, err := engine.ImagePull(ctx, name, client.ImagePullOptions{})
	limit.Stop()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return pull.Wait(ctx)
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
