/** A small image, or an image index: blobs are told by their content, the first one is the config. */
export interface Image {
  readonly name: string;
  readonly blobs: readonly string[];
  readonly subject?: Image;
  /** Makes it an image index. */
  readonly children?: readonly Image[];
}

interface Within {
  readonly repository: string;
}

interface Put extends Within {
  readonly ask: "put";
  readonly image: Image;
  /** Absent: the manifest is put by digest, without a tag. */
  readonly tag?: string;
  readonly ifMatch?: Image;
  readonly ifNoneMatch?: boolean;
}

interface OfTag extends Within {
  readonly ask: "delete tag" | "get tag" | "head tag";
  readonly tag: string;
}

interface OfImage extends Within {
  readonly ask: "delete image" | "get image";
  readonly image: Image;
}

interface OfBlob extends Within {
  readonly ask: "commit" | "delete blob" | "head blob";
  readonly blob: string;
}

interface Mount extends Within {
  readonly ask: "mount";
  readonly blob: string;
  readonly from: string;
}

interface ListTags extends Within {
  readonly ask: "list tags";
}

/** What a client may ask of the registry. */
export type Question = Put | OfTag | OfImage | OfBlob | Mount | ListTags;

export interface Answer {
  readonly status: number;
  /** The name of the image that was answered, for reads. */
  readonly image?: string;
  readonly tags?: readonly string[];
  /** Set by `leniently`: the answer may also mean what is said there. */
  readonly lenient?: boolean;
}

/** What a sequential registry holds. Tags, images and blobs are called `<repository> <name>`. */
export interface Contents {
  readonly tags: Readonly<Record<string, string>>;
  readonly images: readonly string[];
  readonly blobs: readonly string[];
}

export function within({ repository }: Within, name: string): string {
  return `${repository} ${name}`;
}

/** Whether the request's own condition lets it set a tag that names `current`. */
export function conditionHolds({ ifMatch, ifNoneMatch }: Put, current: string | undefined): boolean {
  if (ifMatch !== undefined && current !== ifMatch.name) return false;
  return ifNoneMatch !== true || current === undefined;
}
