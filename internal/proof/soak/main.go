package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/devicetokens/devicetokens/internal/figures"
)

func main() {
	log.SetFlags(log.Ltime)
	log.SetPrefix("soak: ")
	path := flag.String("server", "", "the `program` to test: examples/local, built with -tags debug")
	var run soak
	flag.DurationVar(&run.duration, "duration", 8*time.Second, "how long the load lasts: a quarter quiet, half under misuse, a quarter quiet")
	flag.IntVar(&run.rate, "rate", 200, "requests a second of the good clients")
	flag.IntVar(&run.flood, "flood", 300, "requests a second of each flood")
	flag.BoolVar(&run.times, "times", false, "fail if the p99 under misuse is not within a few times the quiet one")
	write := flag.String("write", "", "`file` to record the figures in")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	problems, err := run.do(ctx, *path)
	if err != nil {
		log.Fatal(err)
	}
	if *write != "" {
		result := figures.Result{Command: "make soak", Machine: figures.Machine(), Tables: run.tables()}
		if err := result.Write(filepath.Dir(*write), filepath.Base(*write)); err != nil {
			log.Fatal(err)
		}
	}
	run.print(os.Stdout)
	for _, p := range problems {
		fmt.Println("WRONG:", p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
	fmt.Println("the server held")
}

// newClient returns a client with connections of its own, as many as it needs.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 200, IdleConnTimeout: time.Minute},
		Timeout:   30 * time.Second,
	}
}
