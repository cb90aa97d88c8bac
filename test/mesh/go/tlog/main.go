// Command tlog checks with Go's own packages what meshgate's log and its proofs say. In:
//
//	tlog check            JSON on standard input (see input): what is wrong is printed, one problem per line
//	tlog agent SOCKET     an SSH agent with a new Ed25519 key, as litewitness needs one; prints the key's fingerprint
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type record struct {
	Note  string
	Index int64
	Entry []byte
	Proof []string
}

type growth struct {
	Older, Newer string
	Proof        []string
}

type input struct {
	Vkey    string
	Records []record
	Growths []growth
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}

// open verifies a note and reads the tree in it. tlog.ParseTree reads only notes of Go's own database, so the three lines are
// read here.
func open(text string, verifiers note.Verifiers) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open([]byte(text), verifiers)
	if err != nil {
		return tree, err
	}
	var origin, root string
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &tree.N, &root); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(root)
	return tree, err
}

func checkRecord(r record, verifiers note.Verifiers) error {
	tree, err := open(r.Note, verifiers)
	if err != nil {
		return err
	}
	proof, err := hashes(r.Proof)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, r.Index, tlog.RecordHash(r.Entry))
}

func checkGrowth(g growth, verifiers note.Verifiers) error {
	older, err := open(g.Older, verifiers)
	if err != nil {
		return err
	}
	newer, err := open(g.Newer, verifiers)
	if err != nil {
		return err
	}
	proof, err := hashes(g.Proof)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash)
}

func check() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(in.Vkey)
	if err != nil {
		return err
	}
	verifiers := note.VerifierList(verifier)
	for i, r := range in.Records {
		if err := checkRecord(r, verifiers); err != nil {
			fmt.Printf("record %d: %v\n", i, err)
		}
	}
	for i, g := range in.Growths {
		if err := checkGrowth(g, verifiers); err != nil {
			fmt.Printf("growth %d: %v\n", i, err)
		}
	}
	return nil
}

func serveAgent(socket string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	fmt.Println(ssh.FingerprintSHA256(public), base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey)))
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go agent.ServeAgent(ring, connection)
	}
}

func main() {
	err := fmt.Errorf("say check, or agent SOCKET")
	switch {
	case len(os.Args) == 2 && os.Args[1] == "check":
		err = check()
	case len(os.Args) == 3 && os.Args[1] == "agent":
		err = serveAgent(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
