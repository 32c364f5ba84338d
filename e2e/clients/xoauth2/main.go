// The Go module golang.org/x/oauth2, unmodified, as a device without a browser (RFC 8628), against the issuer of a fixture
// that names clients for devices:
//
//	xoauth2 FIXTURE.json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

var fixture struct {
	Name, Issuer, Person, Scope string
	Clients                     []client
}

var passed, failed int

func check(name string, act func() error) {
	if err := act(); err != nil {
		failed++
		fmt.Printf("FAILED %s, x/oauth2: %s: %v\n", fixture.Name, name, err)
		return
	}
	passed++
	fmt.Printf("ok     %s, x/oauth2: %s\n", fixture.Name, name)
}

// read makes a value of JSON.
func read(text []byte, err error, into any) error {
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// discover finds the endpoints; the module has no discovery of its own.
func discover() (endpoint oauth2.Endpoint, userinfo string, err error) {
	answer, err := http.Get(fixture.Issuer + "/.well-known/openid-configuration")
	if err != nil {
		return
	}
	defer answer.Body.Close()
	var found struct {
		Token    string `json:"token_endpoint"`
		Device   string `json:"device_authorization_endpoint"`
		UserInfo string `json:"userinfo_endpoint"`
	}
	err = json.NewDecoder(answer.Body).Decode(&found)
	return oauth2.Endpoint{TokenURL: found.Token, DeviceAuthURL: found.Device}, found.UserInfo, err
}

// decide is the person at another device.
func decide(address, action string) error {
	page, err := exec.Command(os.Getenv("PYTHON"), "-B", fixture.Person, os.Args[1], address, action).Output()
	if err == nil && strings.TrimSpace(string(page)) != "device-done" {
		err = fmt.Errorf("the person ends at the page %s", page)
	}
	return err
}

// ask asks for codes. The module sends no secret with this request, unless it is told to.
func ask(config *oauth2.Config) (*oauth2.DeviceAuthResponse, error) {
	var options []oauth2.AuthCodeOption
	if config.ClientSecret != "" {
		options = append(options, oauth2.SetAuthURLParam("client_secret", config.ClientSecret))
	}
	return config.DeviceAuth(context.Background(), options...)
}

// connect gets tokens while a person allows them, and uses them.
func connect(config *oauth2.Config, userinfo string) error {
	asked, err := ask(config)
	if err != nil {
		return err
	}
	decided := make(chan error, 1)
	go func() {
		time.Sleep(time.Duration(asked.Interval) * 1500 * time.Millisecond)
		decided <- decide(asked.VerificationURIComplete, "confirm")
	}()
	begin := time.Now()
	token, err := config.DeviceAccessToken(context.Background(), asked)
	if err := errors.Join(err, <-decided); err != nil {
		return err
	}
	if waited := time.Since(begin); waited > 15*time.Second {
		return fmt.Errorf("it has polled for %v: it was told to slow down", waited)
	}
	token.Expiry = time.Now() // So that it is refreshed before it is used.
	answer, err := config.Client(context.Background(), token).Get(userinfo)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var person struct{ Sub string }
	if err := json.NewDecoder(answer.Body).Decode(&person); err != nil || person.Sub == "" {
		return fmt.Errorf("UserInfo says nothing: %v", err)
	}
	return nil
}

// isRefused is nil when a device whose person says no gets this error.
func isRefused(config *oauth2.Config, code string) error {
	asked, err := ask(config)
	if err == nil {
		err = decide(asked.VerificationURIComplete, "deny")
	}
	if err != nil {
		return err
	}
	_, err = config.DeviceAccessToken(context.Background(), asked)
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != code {
		return fmt.Errorf("not %s: %v", code, err)
	}
	return nil
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err := read(text, err, &fixture); err != nil {
		panic(err)
	}
	endpoint, userinfo, err := discover()
	if err != nil {
		panic(err)
	}
	for _, of := range fixture.Clients {
		// Without a style, the module tries each request with a Basic header first.
		for name, style := range map[string]oauth2.AuthStyle{
			"in the form": oauth2.AuthStyleInParams, "tried out": oauth2.AuthStyleAutoDetect,
		} {
			endpoint.AuthStyle = style
			config := &oauth2.Config{ClientID: of.ID, ClientSecret: of.Secret, Endpoint: endpoint,
				Scopes: strings.Split(fixture.Scope, " ")}
			name = of.ID + ", " + name
			check(name+": a device gets what its person allows", func() error { return connect(config, userinfo) })
			check(name+": a no is told", func() error { return isRefused(config, "access_denied") })
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
