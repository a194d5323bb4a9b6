// Command embed writes the recorded figures into the documents of the repository
// whose root is its working directory.
package main

import (
	"log"

	"github.com/devicetokens/devicetokens/internal/figures"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("embed: ")
	if err := figures.Update("."); err != nil {
		log.Fatal(err)
	}
}
