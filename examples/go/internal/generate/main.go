// Generates ../../gen from the .proto files, with no protoc on the machine: protocompile reads them, and
// the two generators, tools of go.mod, are asked as protoc would ask them.
package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/pluginpb"
)

var files = []string{"patchbay/plugin/v1/plugin.proto", "patchbay/plugin/v1/network.proto"}

func main() {
	protos, out := os.Args[1], os.Args[2]
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{protos}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	check(err)
	// The files name no Go package: M options do.
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: new(string)}
	for _, file := range compiled {
		request.ProtoFile = append(request.ProtoFile, protodesc.ToFileDescriptorProto(file))
		*request.Parameter += "M" + file.Path() + "=patchbay.example/go-bridge/gen;pluginv1,"
	}
	*request.Parameter += "module=patchbay.example/go-bridge/gen"
	question, err := proto.Marshal(request)
	check(err)
	check(os.RemoveAll(out))
	check(os.MkdirAll(out, 0o755))
	for _, generator := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		tool := exec.Command("go", "tool", generator)
		tool.Stdin, tool.Stderr = bytes.NewReader(question), os.Stderr
		answer, err := tool.Output()
		check(err)
		var response pluginpb.CodeGeneratorResponse
		check(proto.Unmarshal(answer, &response))
		for _, file := range response.File {
			check(os.WriteFile(filepath.Join(out, file.GetName()), []byte(file.GetContent()), 0o644))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
