import type { Digest } from "../oci/digest.ts";
import type { Fetch } from "../storage/ports.ts";
import type { Store } from "../storage/store.ts";
import { type Access, grantedAccess } from "./access.ts";
import { isAccountKey } from "./account-key.ts";
import { type Account, robotPrefix } from "./accounts.ts";
import { AuthenticationError } from "./authentication-error.ts";
import { type BasicCredentials, parseAuthorization } from "./authorization.ts";
import { everything, type Grant } from "./grants.ts";
import { Identities, type IdentityIssuer } from "./identities.ts";
import { claimedIssuer } from "./issuer.ts";
import { findRobot } from "./robots.ts";
import { tokenAccess } from "./token-access.ts";
import { type TokenIssuer, TokenIssuers } from "./token-issuers.ts";
import type { TokenKey } from "./token-key.ts";
import { ourIssuer, Tokens } from "./tokens.ts";

/** What decides who may do what. */
export interface AuthPolicy {
  readonly accounts: ReadonlyMap<string, Account>;
  /** What everybody may do, without credentials. */
  readonly everybody: readonly Grant[];
  /** The key that signs tokens, then one that is still believed. */
  readonly tokenKeys: readonly TokenKey[];
  readonly tokenIssuers: readonly TokenIssuer[];
  readonly identityIssuers: readonly IdentityIssuer[];
}

/** Somebody whose credentials were good. */
export interface Identity {
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly admin: boolean;
  /** Hash of his key; undefined for who has none, but an identity token. */
  readonly hash?: Digest;
}

/** Finds out who sent a request, and what he may do. */
export class Authenticator {
  readonly tokens: Tokens;
  /** What everybody may do, without credentials. */
  readonly everybody: readonly Grant[];
  /** Whether there is anybody to log in as. */
  readonly takesCredentials: boolean;
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #tokenIssuers: TokenIssuers;
  readonly #identities: Identities;

  constructor(policy: AuthPolicy, fetch: Fetch) {
    const { accounts, everybody, tokenKeys, tokenIssuers, identityIssuers } = policy;
    this.tokens = new Tokens(tokenKeys);
    this.everybody = everybody;
    this.takesCredentials = accounts.size + tokenIssuers.length + identityIssuers.length > 0;
    this.#accounts = accounts;
    this.#tokenIssuers = new TokenIssuers(tokenIssuers, fetch);
    this.#identities = new Identities(identityIssuers, fetch);
  }

  /**
   * What the sender of this `Authorization` header may do; `service` is what our tokens are for.
   * @throws AuthenticationError for credentials that are not good: never are they just ignored.
   */
  async authenticate(store: Store, authorization: string | undefined, service: string): Promise<Access> {
    if (authorization === undefined) return this.#anonymous();
    const credentials = parseAuthorization(authorization);
    if ("token" in credentials) return this.#bearer(credentials.token, service, store.clock.now());
    const { name, grants, admin } = await this.login(store, credentials);
    return grantedAccess({ name, scheme: "basic" }, [...grants, ...this.everybody], admin);
  }

  /**
   * Who has this name and password: the key of an account or a robot, or an identity token with any name. A wrong
   * name costs what a wrong key costs.
   * @throws AuthenticationError for wrong ones.
   */
  async login(store: Store, { name, password }: BasicCredentials): Promise<Identity> {
    if (password.includes(".")) {
      return { ...(await this.#identities.verify(password, store.clock.now())), admin: false };
    }
    const account = await this.#find(store, name);
    if (!(await isAccountKey(password, account?.hash)) || account === undefined) {
      throw new AuthenticationError("wrong name or key");
    }
    return account;
  }

  /**
   * Who has this refresh token, as long as his key is the one with which he got it.
   * @throws AuthenticationError for one that is not good (any more).
   */
  async refresh(store: Store, token: string, service: string): Promise<Identity> {
    return this.holder(store, await this.tokens.verifyRefresh(token, service, store.clock.now()));
  }

  /**
   * The account that was given something to show again, as long as it has the key of that time.
   * @throws AuthenticationError if the account is gone, or has another key.
   */
  async holder(
    store: Store,
    { account, hash }: { readonly account: string; readonly hash: Digest },
  ): Promise<Identity> {
    const found = await this.#find(store, account);
    if (found?.hash !== hash) throw new AuthenticationError("what a key was given that is gone");
    return found;
  }

  /** An account of the configuration costs nothing, a robot one read; which of the two, the name alone decides. */
  async #find(store: Store, name: string): Promise<Account | undefined> {
    return name.startsWith(robotPrefix) ? findRobot(store, name) : this.#accounts.get(name);
  }

  #anonymous(): Access {
    const access = grantedAccess({ name: "anonymous", scheme: "none" }, this.everybody);
    const mustLogIn = this.takesCredentials && this.everybody !== everything;
    const lists = mustLogIn ? undefined : access.lists;
    return { ...access, admitted: this.everybody.length > 0, mustLogIn, lists };
  }

  async #bearer(token: string, service: string, now: number): Promise<Access> {
    const isOurs = claimedIssuer(token) === ourIssuer;
    const { subject, entries } = isOurs
      ? await this.tokens.verify(token, service, now)
      : await this.#tokenIssuers.verify(token, now);
    return tokenAccess({ name: subject, scheme: "bearer" }, entries, this.everybody, isOurs);
  }
}
