// Command sds gives the Envoys of a lab their certificates, as an Istio agent would: the SecretDiscoveryService over
// plain gRPC. An Envoy is known by its node id, KIND~IP~POD.NAMESPACE~DOMAIN; its files are FOLDER/POD.NAMESPACE/
// cert.pem, key.pem and ca.pem, read when it asks.
//
//	sds LISTEN FOLDER
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secret "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
)

const secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

type server struct {
	secret.UnimplementedSecretDiscoveryServiceServer
	folder string
	nonces atomic.Int64
}

// StreamSecrets answers each new question of a stream once; an acknowledgement, which carries our nonce, needs none.
func (s *server) StreamSecrets(stream secret.SecretDiscoveryService_StreamSecretsServer) error {
	pod, last := "", ""
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) || stream.Context().Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if parts := strings.Split(request.GetNode().GetId(), "~"); len(parts) == 4 {
			pod = filepath.Base(parts[2])
		}
		if detail := request.GetErrorDetail(); detail != nil {
			log.Printf("%s refuses %v: %s", pod, request.GetResourceNames(), detail.GetMessage())
		}
		if names := strings.Join(request.GetResourceNames(), ","); request.GetResponseNonce() != "" && names == last {
			continue
		} else {
			last = names
		}
		answer, err := s.answer(pod, request.GetResourceNames())
		if err != nil {
			log.Printf("%s asks for %v: %v", pod, request.GetResourceNames(), err)
			return err
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
		log.Printf("%s has %v", pod, request.GetResourceNames())
	}
}

func (s *server) answer(pod string, names []string) (*discovery.DiscoveryResponse, error) {
	version := strconv.FormatInt(s.nonces.Add(1), 10)
	answer := &discovery.DiscoveryResponse{TypeUrl: secretType, VersionInfo: version, Nonce: version}
	for _, name := range names {
		made, err := s.secret(pod, name)
		if err != nil {
			return nil, err
		}
		packed, err := anypb.New(made)
		if err != nil {
			return nil, err
		}
		answer.Resources = append(answer.Resources, packed)
	}
	return answer, nil
}

func (s *server) secret(pod, name string) (*tls.Secret, error) {
	switch name {
	case "default":
		return &tls.Secret{Name: name, Type: &tls.Secret_TlsCertificate{TlsCertificate: &tls.TlsCertificate{
			CertificateChain: s.file(pod, "cert.pem"), PrivateKey: s.file(pod, "key.pem"),
		}}}, nil
	case "ROOTCA":
		return &tls.Secret{Name: name, Type: &tls.Secret_ValidationContext{
			ValidationContext: &tls.CertificateValidationContext{TrustedCa: s.file(pod, "ca.pem")},
		}}, nil
	}
	return nil, fmt.Errorf("no secret of this name")
}

// file reads a file into the answer: the Envoy is in another container. One that is missing is empty, which it refuses.
func (s *server) file(pod, name string) *core.DataSource {
	content, err := os.ReadFile(filepath.Join(s.folder, pod, name))
	if err != nil {
		log.Print(err)
	}
	return &core.DataSource{Specifier: &core.DataSource_InlineBytes{InlineBytes: content}}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: sds LISTEN FOLDER")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	plain := grpc.NewServer()
	secret.RegisterSecretDiscoveryServiceServer(plain, &server{folder: os.Args[2]})
	log.Print("sds listens on ", listener.Addr())
	log.Fatal(plain.Serve(listener))
}
