// Command descriptors writes the descriptors of Envoy's API, with their comments, as one FileDescriptorSet.
//
// It reads them from the Go module that Envoy's maintainers tag with every release of Envoy. Its generated .pb.go files contain
// each raw descriptor as a string, and the comments of the .proto files as doc comments. Reading these files takes seconds.
// Compiling all packages would take minutes, and compiled packages have no comments.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// The packages of Envoy's configuration and of its streams. Their imports are added.
var roots = []string{
	"github.com/envoyproxy/go-control-plane/envoy/...",
	"github.com/cncf/xds/go/udpa/type/v1",
	"github.com/cncf/xds/go/xds/...",
	"go.opentelemetry.io/proto/otlp/collector/logs/v1",
	"go.opentelemetry.io/proto/otlp/collector/metrics/v1",
	"go.opentelemetry.io/proto/otlp/collector/trace/v1",
	"google.golang.org/grpc/health/grpc_health_v1",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "Usage: descriptors FILE")
		os.Exit(2)
	}
	if err := dump(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "descriptors:", err)
		os.Exit(1)
	}
}

func dump(path string) error {
	packages, err := readPackages(roots)
	if err != nil {
		return err
	}
	docs := map[protogen.GoImportPath]*docs{}
	var found []*descriptorpb.FileDescriptorProto
	for _, p := range packages {
		docs[p.importPath] = p.docs
		found = append(found, p.files...)
	}
	files, err := inImportOrder(found)
	if err != nil {
		return err
	}
	if err := addComments(files, docs); err != nil {
		return err
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(&descriptorpb.FileDescriptorSet{File: files})
	if err != nil {
		return err
	}
	fmt.Printf("%d descriptors of %d Go packages\n", len(files), len(packages))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, bytes, 0o644)
}

// inImportOrder sorts each file after its imports. The result does not depend on the order of its argument.
func inImportOrder(found []*descriptorpb.FileDescriptorProto) ([]*descriptorpb.FileDescriptorProto, error) {
	byName := map[string]*descriptorpb.FileDescriptorProto{}
	var names []string
	for _, file := range found {
		byName[file.GetName()] = file
		names = append(names, file.GetName())
	}
	slices.Sort(names)
	var ordered []*descriptorpb.FileDescriptorProto
	var missing []error
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		file := byName[name]
		if file == nil {
			missing = append(missing, fmt.Errorf("no Go package contains %s", name))
			return
		}
		for _, dependency := range file.Dependency {
			visit(dependency)
		}
		ordered = append(ordered, file)
	}
	for _, name := range names {
		visit(name)
	}
	return ordered, errors.Join(missing...)
}

// addComments adds the doc comments of the Go packages to the descriptors, at the places where protoc puts comments.
func addComments(files []*descriptorpb.FileDescriptorProto, docs map[protogen.GoImportPath]*docs) error {
	request := &pluginpb.CodeGeneratorRequest{ProtoFile: files}
	for _, file := range files {
		request.FileToGenerate = append(request.FileToGenerate, file.GetName())
	}
	// protogen knows which Go name protoc-gen-go gave to each message, field and value.
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return err
	}
	for index, file := range plugin.Files {
		c := comments{docs: docs[file.GoImportPath]}
		c.addMessages(file.Messages)
		c.addEnums(file.Enums)
		c.addServices(file.Services)
		if len(c.locations) > 0 {
			files[index].SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: c.locations}
		}
	}
	return nil
}
