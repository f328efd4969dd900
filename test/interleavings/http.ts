import { createHash } from "node:crypto";
import { createApp } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { createRegistry } from "../../src/registry.ts";
import type { Store } from "../../src/storage/store.ts";
import type { Ports, Request as Step } from "./execution.ts";
import type { Answer, Image, Question } from "./registry-model.ts";

const origin = "https://registry.example";
const variables = { ANONYMOUS: "all", UPLOAD_KEY: "interleavings-need-no-secret" };
const config = readConfig(variables);
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

/** A request to the real application, which is made anew for each actor: each has an isolate of its own. */
export function ask(question: Question): Step<Question, Answer> {
  return {
    question,
    async send(ports) {
      const response = await fetchFrom(ports)(requestOf(question));
      return async () => answerOf(question, response);
    },
  };
}

// The same few images and blobs are asked for in every one of thousands of runs.
const digests = new Map<string, string>();
const manifests = new WeakMap<Image, string>();

function digestOf(bytes: string): string {
  const digest = digests.get(bytes) ?? `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  digests.set(bytes, digest);
  return digest;
}

/** The manifest, or the index, of an image. */
export function manifestOf(image: Image): string {
  const manifest = manifests.get(image) ?? writeManifest(image);
  manifests.set(image, manifest);
  return manifest;
}

function writeManifest(image: Image): string {
  const [config, ...layers] = image.blobs.map((content, index) => ({
    mediaType: `application/vnd.oci.image.${index === 0 ? "config.v1+json" : "layer.v1.tar"}`,
    digest: digestOf(content),
    size: content.length,
  }));
  const { children, subject, name } = image;
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypeOf(image),
    ...(children === undefined ? { config, layers } : { manifests: children.map(descriptorOf) }),
    ...(subject && { subject: descriptorOf(subject) }),
    annotations: { "org.opencontainers.image.title": name },
  });
}

function descriptorOf(image: Image) {
  const manifest = manifestOf(image);
  return { mediaType: mediaTypeOf(image), digest: digestOf(manifest), size: manifest.length };
}

function mediaTypeOf(image: Image): string {
  return image.children === undefined ? manifestType : indexType;
}

const names = new Map<string, string>();

export function imageDigest(image: Image): string {
  const digest = digestOf(manifestOf(image));
  names.set(digest, image.name);
  return digest;
}

/** The digest of a blob; its content is its name. */
export function blobDigest(content: string): string {
  const digest = digestOf(content);
  names.set(digest, content);
  return digest;
}

/** The name of the image or blob that has this digest, once somebody asked for its digest. */
export function nameOf(digest: string): string {
  return names.get(digest) ?? digest;
}

const apps = new WeakMap<Ports, ReturnType<typeof createApp>>();

/** The storage as an application over these ports sees it. */
export function storeFrom(ports: Ports): Store {
  return createRegistry(config, ports).store;
}

export function fetchFrom(ports: Ports): (request: Request) => Promise<Response> {
  const app = apps.get(ports) ?? createApp(createRegistry(configOf(ports), ports));
  apps.set(ports, app);
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
  return async (request) => app.fetch(request, {}, context as unknown as ExecutionContext);
}

function configOf(ports: Ports): Config {
  return ports.variables === undefined ? config : readConfig({ ...variables, ...ports.variables });
}

function requestOf(question: Question): Request {
  const repository = `${origin}/v2/${question.repository}`;
  const manifests = `${repository}/manifests`;
  switch (question.ask) {
    case "put": {
      const { image, tag, ifMatch, ifNoneMatch } = question;
      const headers = new Headers({ "Content-Type": mediaTypeOf(image) });
      if (ifMatch !== undefined) headers.set("If-Match", `"${imageDigest(ifMatch)}"`);
      if (ifNoneMatch === true) headers.set("If-None-Match", "*");
      const digest = imageDigest(image);
      return withBody("PUT", `${manifests}/${tag ?? digest}`, manifestOf(image), headers);
    }
    case "delete tag":
      return new Request(`${manifests}/${question.tag}`, { method: "DELETE" });
    case "delete image":
      return new Request(`${manifests}/${imageDigest(question.image)}`, { method: "DELETE" });
    case "get tag":
      return new Request(`${manifests}/${question.tag}`, {
        headers: { Accept: `${manifestType}, ${indexType}` },
      });
    case "head tag":
      return new Request(`${manifests}/${question.tag}`, {
        method: "HEAD",
        headers: { Accept: `${manifestType}, ${indexType}` },
      });
    case "get image":
      return new Request(`${manifests}/${imageDigest(question.image)}`, {
        headers: { Accept: `${manifestType}, ${indexType}` },
      });
    case "list tags":
      return new Request(`${repository}/tags/list`);
    case "commit": {
      const url = `${repository}/blobs/uploads/?digest=${digestOf(question.blob)}`;
      return withBody(
        "POST",
        url,
        question.blob,
        new Headers({ "Content-Type": "application/octet-stream" }),
      );
    }
    case "mount":
      return new Request(
        `${repository}/blobs/uploads/?mount=${digestOf(question.blob)}&from=${question.from}`,
        { method: "POST" },
      );
    case "delete blob":
      return new Request(`${repository}/blobs/${digestOf(question.blob)}`, { method: "DELETE" });
    case "head blob":
      return new Request(`${repository}/blobs/${digestOf(question.blob)}`, { method: "HEAD" });
  }
}

/** The body is a stream made of promises alone, so that reading it costs no turn of the event loop. */
export function withBody(method: string, url: string, body: string, headers: Headers): Request {
  const bytes = new TextEncoder().encode(body);
  headers.set("Content-Length", String(bytes.byteLength));
  const stream = new ReadableStream({
    type: "bytes",
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Request(url, { method, headers, body: stream });
}

async function answerOf(question: Question, response: Response): Promise<Answer> {
  const { status, headers } = response;
  const body = await response.text();
  if (question.ask === "list tags" && status === 200) {
    return { status, tags: (JSON.parse(body) as { readonly tags: readonly string[] }).tags };
  }
  if (question.ask === "get tag" || question.ask === "head tag" || question.ask === "get image") {
    const digest = headers.get("Docker-Content-Digest");
    return digest === null || status !== 200 ? { status } : { status, image: nameOf(digest) };
  }
  return { status };
}
