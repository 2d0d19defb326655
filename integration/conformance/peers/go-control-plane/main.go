// Command peer serves from one of go-control-plane's caches, set up as that library's users do, what it is given over HTTP.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	cds "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	ads "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	eds "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	ecds "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	lds "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	rds "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	rtds "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	sds "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

type allNodes struct{}

func (allNodes) ID(*core.Node) string { return "all" }

// publisher is told what is set and deleted of one type, and all that there is of it then.
type publisher func(t types.ResponseType, set map[string]types.Resource, gone []string, all map[string]types.Resource) error

// newSnapshots numbers the versions of each type for itself, which sends less than NewSnapshot's one version for all. Nor
// has it the ADS flag, with which the cache is silent until a client names all that there is of a type.
func newSnapshots() (c cache.Cache, publish publisher, commit func() error) {
	snapshots, current, version := cache.NewSnapshotCache(false, allNodes{}, nil), cache.Snapshot{}, 0
	publish = func(t types.ResponseType, _ map[string]types.Resource, _ []string, all map[string]types.Resource) error {
		items := make([]types.Resource, 0, len(all))
		for _, item := range all {
			items = append(items, item)
		}
		version++
		current.Resources[t] = cache.NewResources(strconv.Itoa(version), items)
		return nil
	}
	return snapshots, publish, func() error {
		return snapshots.SetSnapshot(context.Background(), "all", &cache.Snapshot{Resources: current.Resources})
	}
}

func newLinear() (c cache.Cache, publish publisher, commit func() error) {
	mux := &cache.MuxCache{Caches: map[string]cache.Cache{}}
	mux.Classify = func(r *cache.Request) string { return r.GetTypeUrl() }
	mux.ClassifyDelta = func(r *cache.DeltaRequest) string { return r.GetTypeUrl() }
	for t := types.ResponseType(0); t < types.UnknownType; t++ {
		typeURL, _ := cache.GetResponseTypeURL(t)
		mux.Caches[typeURL] = cache.NewLinearCache(typeURL)
	}
	publish = func(t types.ResponseType, set map[string]types.Resource, gone []string, _ map[string]types.Resource) error {
		typeURL, _ := cache.GetResponseTypeURL(t)
		return mux.Caches[typeURL].(*cache.LinearCache).UpdateResources(set, gone)
	}
	return mux, publish, func() error { return nil }
}

// pushOrder is the one that the protocol document asks for, as far as a publisher of one type after the other can keep it.
var pushOrder = []types.ResponseType{types.Secret, types.Cluster, types.Endpoint, types.ExtensionConfig, types.Listener,
	types.ScopedRoute, types.Route, types.VirtualHost, types.Runtime}

// newHandler takes {type URL: {name: resource in proto-JSON, or null to delete it}}, and publishes what of it is a change.
func newHandler(publish publisher, commit func() error) http.HandlerFunc {
	sources, all := map[string]json.RawMessage{}, map[types.ResponseType]map[string]types.Resource{}
	return func(w http.ResponseWriter, r *http.Request) {
		var body map[string]map[string]json.RawMessage
		err := json.NewDecoder(r.Body).Decode(&body)
		for _, t := range pushOrder {
			typeURL, _ := cache.GetResponseTypeURL(t)
			set, gone := map[string]types.Resource{}, []string{}
			for name, source := range body[typeURL] {
				if key := typeURL + " " + name; bytes.Equal(sources[key], source) {
					continue
				} else if sources[key] = source; string(source) == "null" {
					gone = append(gone, name)
					delete(all[t], name)
					continue
				}
				var wrapped anypb.Any
				err = errors.Join(err, protojson.Unmarshal(source, &wrapped))
				item, fault := wrapped.UnmarshalNew()
				err = errors.Join(err, fault)
				if all[t] == nil {
					all[t] = map[string]types.Resource{}
				}
				set[name], all[t][name] = item, item
			}
			if len(set)+len(gone) > 0 {
				err = errors.Join(err, publish(t, set, gone, all[t]))
			}
		}
		if err = errors.Join(err, commit()); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

func main() {
	kind := flag.String("cache", "linear", "linear or snapshot")
	flag.Parse()
	served, publish, commit := newLinear()
	if *kind == "snapshot" {
		served, publish, commit = newSnapshots()
	}
	s := server.NewServer(context.Background(), served, nil, sotw.WithOrderedADS())
	g := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ads.RegisterAggregatedDiscoveryServiceServer(g, s)
	cds.RegisterClusterDiscoveryServiceServer(g, s)
	eds.RegisterEndpointDiscoveryServiceServer(g, s)
	ecds.RegisterExtensionConfigDiscoveryServiceServer(g, s)
	lds.RegisterListenerDiscoveryServiceServer(g, s)
	rds.RegisterRouteDiscoveryServiceServer(g, s)
	rds.RegisterScopedRoutesDiscoveryServiceServer(g, s)
	rds.RegisterVirtualHostDiscoveryServiceServer(g, s)
	rtds.RegisterRuntimeDiscoveryServiceServer(g, s)
	sds.RegisterSecretDiscoveryServiceServer(g, s)
	xds, xdsFault := net.Listen("tcp", "127.0.0.1:0")
	admin, adminFault := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(xdsFault, adminFault); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"xds\":%q,\"admin\":%q}\n", xds.Addr(), admin.Addr())
	go func() { log.Fatal(http.Serve(admin, newHandler(publish, commit))) }()
	log.Fatal(g.Serve(xds))
}
