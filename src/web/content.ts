import type { Child } from "hono/jsx";
import type { RegistryContext } from "../handlers/context.ts";
import type { Visitor } from "./visitor.ts";

/** A step on the way to a page: text, and the path where it leads. */
export type Crumb = readonly [text: string, path: string];

/** What a page shows, before the frame that all pages have. */
export interface Content {
  readonly title: string;
  /** The pages above this one. */
  readonly trail?: readonly Crumb[];
  readonly body: Child;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a page is made from. */
export interface PageRequest {
  readonly c: RegistryContext;
  readonly visitor: Visitor;
  /** The fields of a POST; empty for a GET. */
  readonly form: URLSearchParams;
}

/** Somewhere else, for the browser to go to: after a POST by GET. */
export interface Redirect {
  readonly location: string;
}

/** Makes a page, or says where to go. What goes wrong is thrown as a RegistryError. */
export type PageMaker = (request: PageRequest) => Promise<Content | Redirect>;
