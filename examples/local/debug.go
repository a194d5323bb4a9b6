//go:build debug

package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // registers itself on http.DefaultServeMux
	"runtime"
	"time"
)

// A server built with -tags debug prints another port, which serves its number of
// goroutines, its heap and its profiles. The soak test reads them.
func init() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /debug/state", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		runtime.GC() // a sync.Pool keeps its objects for one more cycle
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		_ = json.NewEncoder(w).Encode(map[string]uint64{
			"goroutines": uint64(runtime.NumGoroutine()),
			"heap":       memory.HeapAlloc,
		})
	})
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Printf("Debugging at http://%s/debug/pprof\n", listener.Addr())
}
