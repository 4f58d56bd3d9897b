// The only program in the lane's pods, and their client. Built static, without modules.
//
//	probe serve [-tcp PORT] [-udp PORT] [-http PORT] [-ready-after DURATION] [-linger DURATION]
//	probe dial tcp|udp HOST:PORT [COUNT]     the server's answer, a line each; exit code 1 on the first failure
//	probe tls HOST:PORT                      one handshake, whoever the server is
//	probe load HOST:PORT                     connects until its standard input ends, then prints what happened as JSON
//
// A server answers with one line: its host name (in a pod: the pod's name) and the address that it sees of the client.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const answerLimit = 3 * time.Second

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: probe serve|dial|load"))
	}
	switch args := os.Args[2:]; os.Args[1] {
	case "serve":
		serve(args)
	case "dial":
		dialMany(args)
	case "tls":
		shakeHands(args[0])
	case "load":
		load(args[0])
	default:
		fail(fmt.Errorf("no command %q", os.Args[1]))
	}
}

func serve(args []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	tcp := flags.Int("tcp", 0, "port of TCP")
	udp := flags.Int("udp", 0, "port of UDP")
	web := flags.Int("http", 0, "port of HTTP: /ready")
	readyAfter := flags.Duration("ready-after", 0, "how long /ready answers 503")
	linger := flags.Duration("linger", 0, "how long it serves on after SIGTERM")
	flags.Parse(args)
	name, err := os.Hostname()
	fail(err)
	started := time.Now()
	if *tcp != 0 {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(*tcp))
		fail(err)
		go serveTCP(listener, name)
	}
	if *udp != 0 {
		socket, err := net.ListenPacket("udp", ":"+strconv.Itoa(*udp))
		fail(err)
		go serveUDP(socket, name)
	}
	if *web != 0 {
		http.HandleFunc("/ready", func(out http.ResponseWriter, _ *http.Request) {
			if time.Since(started) < *readyAfter {
				out.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		go func() { fail(http.ListenAndServe(":"+strconv.Itoa(*web), nil)) }()
	}
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)
	<-ends
	time.Sleep(*linger)
}

func serveTCP(listener net.Listener, name string) {
	for {
		connection, err := listener.Accept()
		fail(err)
		go func() {
			fmt.Fprintf(connection, "%s %s\n", name, hostOf(connection.RemoteAddr()))
			connection.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, connection)
			connection.Close()
		}()
	}
}

func serveUDP(socket net.PacketConn, name string) {
	buffer := make([]byte, 1500)
	for {
		_, client, err := socket.ReadFrom(buffer)
		fail(err)
		// A client that went away is its own affair.
		socket.WriteTo([]byte(fmt.Sprintf("%s %s\n", name, hostOf(client))), client)
	}
}

func hostOf(address net.Addr) string {
	host, _, err := net.SplitHostPort(address.String())
	fail(err)
	return host
}

func dialMany(args []string) {
	count := 1
	if len(args) > 2 {
		var err error
		count, err = strconv.Atoi(args[2])
		fail(err)
	}
	for range count {
		line, err := dial(args[0], args[1])
		fail(err)
		fmt.Println(line)
	}
}

func dial(network, address string) (string, error) {
	connection, err := net.DialTimeout(network, address, answerLimit)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(answerLimit))
	if network == "udp" {
		if _, err := connection.Write([]byte("?")); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return "", err
	}
	return line[:len(line)-1], nil
}

func shakeHands(address string) {
	dialer := &net.Dialer{Timeout: answerLimit}
	connection, err := tls.DialWithDialer(dialer, "tcp", address, &tls.Config{InsecureSkipVerify: true})
	fail(err)
	fmt.Println(connection.ConnectionState().PeerCertificates[0].Subject)
}

type loadResult struct {
	Connections int            `json:"connections"`
	Servers     map[string]int `json:"servers"`
	Failures    []string       `json:"failures"`
}

func load(address string) {
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	result := loadResult{Servers: map[string]int{}, Failures: []string{}}
	for {
		select {
		case <-done:
			fail(json.NewEncoder(os.Stdout).Encode(result))
			return
		case <-time.After(2 * time.Millisecond):
		}
		line, err := dial("tcp", address)
		if err != nil {
			result.Failures = append(result.Failures, time.Now().Format("15:04:05.000 ")+err.Error())
			continue
		}
		var name string
		fmt.Sscan(line, &name)
		result.Connections++
		result.Servers[name]++
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
