import { openBuildah } from "./buildah.ts";
import { openContainerd } from "./containerd.ts";
import { openCosign } from "./cosign.ts";
import { openCrane } from "./crane.ts";
import { openDocker } from "./docker.ts";
import type { ClientEntry } from "./harness/client.ts";
import { openHelm } from "./helm.ts";
import { openOras } from "./oras.ts";
import { openPodman } from "./podman.ts";
import { openRegctl } from "./regctl.ts";
import { openSkopeo } from "./skopeo.ts";

/** What the fixtures are made with, and the upstream of the mirror, whatever client is tried. */
export const commonPackages = ["busybox-static", "skopeo", "docker-registry"];

/** The clients that are tried, in the columns' order of the matrix. */
export const catalogue: readonly ClientEntry[] = [
  { name: "docker", packages: ["docker.io", "curl", "jq"], open: openDocker },
  { name: "containerd", packages: ["containerd", "runc"], open: openContainerd },
  { name: "podman", packages: ["podman", "runc"], open: openPodman },
  { name: "buildah", packages: ["buildah", "runc"], open: openBuildah },
  { name: "skopeo", packages: [], open: openSkopeo },
  {
    name: "regctl",
    packages: [],
    goTool: { package: "github.com/regclient/regclient/cmd/regctl", version: "v0.11.7" },
    open: openRegctl,
  },
  {
    name: "crane",
    packages: [],
    goTool: { package: "github.com/google/go-containerregistry/cmd/crane", version: "v0.22.1" },
    open: openCrane,
  },
  {
    name: "oras",
    packages: [],
    goTool: { package: "oras.land/oras/cmd/oras", version: "v1.3.6" },
    open: openOras,
  },
  {
    name: "helm",
    packages: [],
    goTool: { package: "helm.sh/helm/v3/cmd/helm", version: "v3.22.0" },
    open: openHelm,
  },
  {
    name: "cosign",
    packages: [],
    goTool: { package: "github.com/sigstore/cosign/v3/cmd/cosign", version: "v3.1.3" },
    open: openCosign,
  },
];

/** Clients that people use and that cannot be had here, with the reason: part of the matrix all the same. */
export const unavailable = [
  { name: "notation", reason: "the Go module proxy does not serve github.com/notaryproject/notation" },
] as const;
