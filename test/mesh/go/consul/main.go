// Decodes configuration entries of Consul's as its own clients do, but with unknown fields refused.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/hashicorp/consul/api"
)

// decode says how the api's own type of the entry's kind reads it.
func decode(raw map[string]any) (api.ConfigEntry, error) {
	entry, err := api.DecodeConfigEntry(raw)
	if err != nil {
		return nil, err
	}
	// Once more into the same type: the api's decoder passes over what it does not know, and turns numbers into texts.
	strict := reflect.New(reflect.TypeOf(entry).Elem()).Interface()
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToTimeHookFunc(time.RFC3339),
		),
		ErrorUnused: true,
		Result:      strict,
	})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(raw); err != nil {
		return nil, err
	}
	return strict.(api.ConfigEntry), compile(strict)
}

// compile says whether Envoy could read the regular expressions of intentions: its RE2 has the syntax of Go's.
func compile(entry any) error {
	intentions, ok := entry.(*api.ServiceIntentionsConfigEntry)
	if !ok {
		return nil
	}
	for _, source := range intentions.Sources {
		for _, permission := range source.Permissions {
			if permission.HTTP == nil {
				continue
			}
			if _, err := regexp.Compile(permission.HTTP.PathRegex); err != nil {
				return err
			}
		}
	}
	return nil
}

type verdict struct {
	Entry api.ConfigEntry `json:"entry,omitempty"`
	Error string          `json:"error,omitempty"`
}

// One entry after another on standard input; a verdict for each, a line, on standard output.
func main() {
	input := json.NewDecoder(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		var raw map[string]any
		if err := input.Decode(&raw); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var said verdict
		if entry, err := decode(raw); err != nil {
			said.Error = err.Error()
		} else {
			said.Entry = entry
		}
		if err := output.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
