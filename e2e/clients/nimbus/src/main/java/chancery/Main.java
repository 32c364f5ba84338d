package chancery;

import static chancery.Checks.expect;
import static chancery.Checks.same;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.oauth2.sdk.AccessTokenResponse;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.auth.X509CertificateConfirmation;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.rar.AuthorizationDetail;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.AccessTokenType;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.oauth2.sdk.util.JSONArrayUtils;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.util.tls.TLSUtils;
import com.nimbusds.oauth2.sdk.util.tls.TLSVersion;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.Prompt;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientInformation;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;
import net.minidev.json.JSONObject;

/**
 * Nimbus oauth2-oidc-sdk, unmodified: clients of FAPI that authenticate by a certificate (RFC 8705) or by what they sign,
 * whose tokens are bound to that certificate or to a key (RFC 9449), whose requests are signed (RFC 9101) and in general
 * pushed (RFC 9126), and whose authorization responses are signed and encrypted (JARM); and devices without a browser
 * (RFC 8628), which authenticate and bind their tokens in the same ways.
 */
final class Main {
    private static String fixtureFile;
    private static JSONObject fixture;
    private static OIDCProviderMetadata provider;
    private static KeyStore trusted;

    private Main() {}

    public static void main(String... arguments) throws Exception {
        fixtureFile = arguments[0];
        fixture = JSONObjectUtils.parse(Files.readString(Path.of(fixtureFile)));
        trusted = trust(Path.of(text(fixture, "authority")));
        HTTPRequest.setDefaultSSLSocketFactory(TLSUtils.createSSLSocketFactory(trusted));
        HttpsURLConnection.setDefaultSSLSocketFactory(HTTPRequest.getDefaultSSLSocketFactory());
        var checks = new Checks(text(fixture, "name"));

        checks.check("discovery", () -> {
            provider = OIDCProviderMetadata.resolve(new Issuer(text(fixture, "issuer")));
            expect(provider.supportsMutualTLSSenderConstrainedAccessTokens(), "tokens bound to certificates are announced");
            return provider.getReadOnlyMtlsEndpointAliases().getTokenEndpointURI().getAuthority();
        });
        var clients = JSONArrayUtils.toJSONObjectList(JSONObjectUtils.getJSONArray(fixture, "clients"));
        for (var of : clients) {
            var name = text(JSONObjectUtils.getJSONObject(of, "metadata"), "client_name") + ": ";
            var token = serves(checks, name, of);
            if (hasCertificate(of)) {
                var another = clients.stream().filter(one -> one != of && hasCertificate(one)).findFirst().orElseThrow();
                withAnotherCertificate(checks, name, of, another, token);
            } else {
                withAnotherKey(checks, name, of, token);
            }
        }
        for (var of : JSONArrayUtils.toJSONObjectList(JSONObjectUtils.getJSONArray(fixture, "devices"))) {
            isConnected(checks, text(JSONObjectUtils.getJSONObject(of, "metadata"), "client_name") + ": ", of);
        }
        System.exit(checks.close());
    }

    private static String text(JSONObject object, String member) throws Exception {
        return JSONObjectUtils.getString(object, member);
    }

    private static KeyStore trust(Path authority) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var file = Files.newInputStream(authority)) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        return store;
    }

    private static boolean hasCertificate(JSONObject of) {
        return of.containsKey("certificate");
    }

    private static KeyStore certificate(JSONObject of) throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        try (var file = Files.newInputStream(Path.of(text(of, "certificate")))) {
            store.load(file, text(fixture, "passphrase").toCharArray());
        }
        return store;
    }

    private static SSLSocketFactory sockets(JSONObject of) throws Exception {
        var passphrase = text(fixture, "passphrase").toCharArray();
        return TLSUtils.createSSLSocketFactory(trusted, certificate(of), passphrase, TLSVersion.TLS_1_3);
    }

    private static Client client(JSONObject of) throws Exception {
        var keys = JWKSet.parse(JSONObjectUtils.getJSONObject(of, "keys"));
        var registered = OIDCClientInformation.parse(JSONObjectUtils.getJSONObject(of, "metadata"));
        var pushes = JSONObjectUtils.getBoolean(of, "pushes");
        return new Client(provider, registered, keys, pushes, hasCertificate(of) ? sockets(of) : null);
    }

    /** What a person brings back who signs in and allows. */
    private static URI answer(URI request) throws Exception {
        return new URI(person(request.toString()));
    }

    private static String person(String... does) throws Exception {
        var command = new ArrayList<>(List.of(System.getenv("PYTHON"), "-B", text(fixture, "person"), fixtureFile));
        command.addAll(List.of(does));
        var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return new String(process.getInputStream().readAllBytes()).strip();
    }

    private static Client.Asked asked() {
        return new Client.Asked(new CodeVerifier(), new State(), new Nonce());
    }

    private static OIDCTokenResponse login(Client client) throws Exception {
        var asked = asked();
        var answer = answer(client.authorizationRequest(asked, null));
        return client.redeem(client.authorizationResponse(answer, asked), asked);
    }

    private interface Act {
        Object run() throws Exception;
    }

    /** The error that something is refused with. */
    private static String refusal(Act act) throws Exception {
        try {
            return "none: " + act.run();
        } catch (Client.Refused refused) {
            return refused.error.getCode();
        }
    }

    /** What a client is served; the access token of a person that it has got, or null. */
    private static AccessToken serves(Checks checks, String name, JSONObject of) throws Exception {
        var held = new AccessToken[1];
        checks.check(name + "login with an encrypted response, UserInfo, refresh", () -> {
            var client = client(of);
            var tokens = login(client).getOIDCTokens();
            held[0] = tokens.getAccessToken();
            same(hasCertificate(of) ? AccessTokenType.BEARER : AccessTokenType.DPOP, held[0].getType());
            var subject = tokens.getIDToken().getJWTClaimsSet().getSubject();
            same(subject, client.userInfo(held[0]));
            var fresh = client.refresh(tokens.getRefreshToken()).getOIDCTokens().getAccessToken();
            expect(!fresh.equals(held[0]), "another access token");
            same(subject, client.userInfo(fresh));

            var seen = client.introspect(fresh);
            if (hasCertificate(of)) {
                var store = certificate(of);
                var leaf = (X509Certificate) store.getCertificate(store.aliases().nextElement());
                same(X509CertificateConfirmation.of(leaf), seen.getX509CertificateConfirmation());
            } else {
                expect(seen.getJWKThumbprintConfirmation() != null, "it is bound to a key");
            }
            return client.registered.getOIDCMetadata().getAuthorizationJWEAlg();
        });

        checks.check(name + "an error in an encrypted response", () -> {
            var client = client(of);
            var asked = asked();
            var address = client.authorizationRequest(asked, new Prompt(Prompt.Type.NONE));
            var request = new HTTPRequest(HTTPRequest.Method.GET, address);
            request.setFollowRedirects(false);
            var response = client.authorizationResponse(request.send().getLocation(), asked);
            return same("login_required", response.toErrorResponse().getErrorObject().getCode());
        });

        checks.check(name + "authorization details: granted, introspected, narrowed", () -> {
            var client = client(of);
            var asked = asked();
            var answer = answer(client.authorizationRequest(asked, null, details()));
            var tokens = client.redeem(client.authorizationResponse(answer, asked), asked).getOIDCTokens();
            return hasDetails(client, tokens.getAccessToken(), tokens.getRefreshToken());
        });

        if (client(of).asksPeople()) {
            asks(checks, name, of);
        }

        checks.check(name + "client credentials", () -> ownTokens(client(of)).getTokens().getAccessToken().getType());
        return held[0];
    }

    /** What is asked for in detail: two payments. */
    private static List<AuthorizationDetail> details() throws Exception {
        return AuthorizationDetail.parseList(
                JSONArrayUtils.toJSONObjectList(JSONObjectUtils.getJSONArray(fixture, "authorization_details")));
    }

    /** This token has all details, whoever asks (RFC 9396 sections 7 and 9.2); a refreshed one has less, and never more. */
    private static Object hasDetails(Client client, AccessToken token, RefreshToken refresh) throws Exception {
        var details = details();
        same(details, token.getAuthorizationDetails());
        same(details, client.introspect(token).getAuthorizationDetails());
        var less = details.subList(1, 2);
        var fresh = client.refresh(refresh, less).getOIDCTokens();
        same(less, fresh.getAccessToken().getAuthorizationDetails());
        same(less, client.introspect(fresh.getAccessToken()).getAuthorizationDetails());
        var more = details.get(0).toJSONObject();
        more.put("amount", "999999.00");
        return same("invalid_authorization_details",
                refusal(() -> client.refresh(fresh.getRefreshToken(), List.of(AuthorizationDetail.parse(more)))));
    }

    /** A client that asks people who are at another device, and polls (CIBA Core). */
    private static void asks(Checks checks, String name, JSONObject of) {
        checks.check(name + "a person at another device allows: tokens once, UserInfo, refresh", () -> {
            var client = client(of);
            var asked = client.ask(text(fixture, "username"), "1234", null).getAuthRequestID();
            same("authorization_pending", refusal(() -> client.poll(asked)));
            same("1", person("allow"));
            Thread.sleep(5_000);
            var tokens = client.poll(asked).getOIDCTokens();
            var subject = tokens.getIDToken().getJWTClaimsSet().getSubject();
            same(subject, client.userInfo(tokens.getAccessToken()));
            var fresh = client.refresh(tokens.getRefreshToken()).getOIDCTokens().getAccessToken();
            same(subject, client.userInfo(fresh));
            return same("invalid_grant", refusal(() -> client.poll(asked)));
        });
        checks.check(name + "a person at another device allows in detail", () -> {
            var client = client(of);
            var asked = client.ask(text(fixture, "username"), "1234", null, details()).getAuthRequestID();
            same("1", person("allow"));
            var tokens = client.poll(asked).getOIDCTokens();
            return hasDetails(client, tokens.getAccessToken(), tokens.getRefreshToken());
        });
        checks.check(name + "a person at another device denies", () -> {
            var client = client(of);
            var asked = client.ask(text(fixture, "username"), "1234", null).getAuthRequestID();
            same("1", person("deny"));
            return same("access_denied", refusal(() -> client.poll(asked)));
        });
        checks.check(name + "nobody decides", () -> {
            var client = client(of);
            var asked = client.ask(text(fixture, "username"), null, 1);
            same(1, asked.getExpiresIn());
            Thread.sleep(1_500);
            return same("expired_token", refusal(() -> client.poll(asked.getAuthRequestID())));
        });
        checks.check(name + "a message that does not fit, and a person that there is not", () -> {
            var client = client(of);
            same("invalid_binding_message", refusal(() -> client.ask(text(fixture, "username"), "a".repeat(500), null)));
            return same("unknown_user_id", refusal(() -> client.ask("nobody-of-this-name", null, null)));
        });
        checks.check(name + "a signed request for another provider", () -> {
            var client = client(of);
            var claims = client.signed(new JWTClaimsSet.Builder().claim("scope", "openid")
                    .claim("login_hint", text(fixture, "username")).build()).getJWTClaimsSet();
            var elsewhere = new JWTClaimsSet.Builder(claims).audience("https://another.example").build();
            return same("invalid_request", refusal(() -> client.ask(client.signedAsIs(elsewhere))));
        });
    }

    private static AccessTokenResponse ownTokens(Client client) throws Exception {
        return client.tokens(new ClientCredentialsGrant()).toSuccessResponse();
    }

    /** What a device is told before and after its person decides at another one. */
    private static void isConnected(Checks checks, String name, JSONObject of) {
        checks.check(name + "a device gets what its person allows", () -> {
            var client = client(of);
            var asked = client.askForPerson();
            same("authorization_pending", refusal(() -> client.poll(asked)));
            same("slow_down", refusal(() -> client.poll(asked)));
            same("device-done", person(asked.getVerificationURIComplete().toString(), "confirm"));
            var tokens = client.poll(asked).getOIDCTokens();
            var token = tokens.getAccessToken();
            same(hasCertificate(of) ? AccessTokenType.BEARER : AccessTokenType.DPOP, token.getType());
            same(tokens.getIDToken().getJWTClaimsSet().getSubject(), client.userInfo(token));
            var thief = client(of);
            thief.sockets = null;
            same("invalid_token", refusal(() -> thief.userInfo(token)));
            var fresh = client.refresh(tokens.getRefreshToken()).getOIDCTokens().getAccessToken();
            expect(!fresh.equals(token), "another access token");
            return same("invalid_grant", refusal(() -> client.poll(asked)));
        });
        checks.check(name + "a no is told", () -> {
            var client = client(of);
            var asked = client.askForPerson();
            same("device-done", person(asked.getVerificationURIComplete().toString(), "deny"));
            return same("access_denied", refusal(() -> client.poll(asked)));
        });
    }

    /** What a client with a certificate is refused (RFC 8705 sections 2 and 3), with this token of a person. */
    private static void withAnotherCertificate(
            Checks checks, String name, JSONObject of, JSONObject another, AccessToken token) throws Exception {
        var authenticates = !client(of).authenticatesByAssertion();
        var without = client(of);
        without.sockets = null;
        var withAnother = client(of);
        withAnother.sockets = sockets(another);
        checks.check(name + "client credentials without a certificate", () ->
                same(authenticates ? "invalid_client" : "invalid_grant", refusal(() -> ownTokens(without))));
        if (authenticates) {
            checks.check(name + "client credentials with the certificate of another client", () ->
                    same("invalid_client", refusal(() -> ownTokens(withAnother))));
        }
        checks.check(name + "a token without a certificate", () ->
                same("invalid_token", refusal(() -> without.userInfo(token))));
        checks.check(name + "a token with the certificate of another client", () ->
                same("invalid_token", refusal(() -> withAnother.userInfo(token))));
    }

    /** What a client is refused whose tokens are bound to a key (RFC 9449 sections 5 and 7). */
    private static void withAnotherKey(Checks checks, String name, JSONObject of, AccessToken token) throws Exception {
        var without = client(of);
        without.proofs = null;
        checks.check(name + "client credentials without a proof", () ->
                same("invalid_request", refusal(() -> ownTokens(without))));
        checks.check(name + "a token as a bearer token", () ->
                same("invalid_token", refusal(() -> without.userInfo(new BearerAccessToken(token.getValue())))));
        checks.check(name + "a token with a proof of another key", () ->
                same("invalid_token", refusal(() -> client(of).userInfo(token))));
    }
}
