package chancery;

import static chancery.Checks.expect;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.factories.DefaultJWSSignerFactory;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.ErrorObject;
import com.nimbusds.oauth2.sdk.GrantType;
import com.nimbusds.oauth2.sdk.PushedAuthorizationRequest;
import com.nimbusds.oauth2.sdk.PushedAuthorizationResponse;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseMode;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenIntrospectionSuccessResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientAuthenticationMethod;
import com.nimbusds.oauth2.sdk.auth.JWTAuthenticationClaimsSet;
import com.nimbusds.oauth2.sdk.auth.PKITLSClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.SelfSignedTLSClientAuthentication;
import com.nimbusds.oauth2.sdk.ciba.AuthRequestID;
import com.nimbusds.oauth2.sdk.ciba.CIBAGrant;
import com.nimbusds.oauth2.sdk.ciba.CIBARequest;
import com.nimbusds.oauth2.sdk.ciba.CIBARequestAcknowledgement;
import com.nimbusds.oauth2.sdk.ciba.CIBAResponse;
import com.nimbusds.oauth2.sdk.device.DeviceAuthorizationRequest;
import com.nimbusds.oauth2.sdk.device.DeviceAuthorizationResponse;
import com.nimbusds.oauth2.sdk.device.DeviceAuthorizationSuccessResponse;
import com.nimbusds.oauth2.sdk.device.DeviceCodeGrant;
import com.nimbusds.oauth2.sdk.dpop.DPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.jarm.JARMValidator;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.rar.AuthorizationDetail;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponse;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.Prompt;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.op.ReadOnlyOIDCProviderEndpointMetadata;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientInformation;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.net.URI;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.SSLSocketFactory;

/** One client: its registration, its keys, and how it sends its requests. */
final class Client {
    /** An error that the provider answers with. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        final transient ErrorObject error;

        Refused(ErrorObject error) {
            super(error.toString());
            this.error = error;
        }
    }

    /** What an authorization request asks for and its response is compared with. */
    record Asked(CodeVerifier verifier, State state, Nonce nonce) {}

    private interface Request {
        HTTPRequest make() throws Exception;
    }

    final OIDCProviderMetadata provider;
    final OIDCClientInformation registered;
    final JWKSet keys;
    final boolean pushes;
    /** Presents the client's certificate, if it has one. */
    SSLSocketFactory sockets;
    /** Makes proofs of possession of a new key, if it has no certificate. */
    DPoPProofFactory proofs;
    private Nonce dpopNonce;

    Client(OIDCProviderMetadata provider, OIDCClientInformation registered, JWKSet keys, boolean pushes,
            SSLSocketFactory sockets) throws Exception {
        this.provider = provider;
        this.registered = registered;
        this.keys = keys;
        this.pushes = pushes;
        this.sockets = sockets;
        if (sockets == null) {
            proofs = new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
        }
    }

    /** Where the client calls: those that have a certificate call elsewhere (RFC 8705 section 5). */
    ReadOnlyOIDCProviderEndpointMetadata endpoints() {
        return sockets == null ? provider : provider.getReadOnlyMtlsEndpointAliases();
    }

    private JWK signingKey() {
        return keys.getKeys().stream().filter(key -> key.getKeyUse() == KeyUse.SIGNATURE).findFirst().orElseThrow();
    }

    private JWSAlgorithm algorithm() {
        return registered.getOIDCMetadata().getRequestObjectJWSAlg();
    }

    boolean authenticatesByAssertion() {
        var method = registered.getOIDCMetadata().getTokenEndpointAuthMethod();
        return method.equals(ClientAuthenticationMethod.PRIVATE_KEY_JWT);
    }

    private ClientAuthentication authentication() throws Exception {
        var method = registered.getOIDCMetadata().getTokenEndpointAuthMethod();
        if (method.equals(ClientAuthenticationMethod.TLS_CLIENT_AUTH)) {
            return new PKITLSClientAuthentication(registered.getID(), sockets);
        }
        if (method.equals(ClientAuthenticationMethod.SELF_SIGNED_TLS_CLIENT_AUTH)) {
            return new SelfSignedTLSClientAuthentication(registered.getID(), sockets);
        }
        var claims = new JWTAuthenticationClaimsSet(registered.getID(), new Audience(provider.getIssuer()));
        var key = signingKey();
        return new PrivateKeyJWT(claims, algorithm(), ((AsymmetricJWK) key).toPrivateKey(), key.getKeyID(), null);
    }

    /** Sends a request, and once more if its proof lacked a nonce of the provider (RFC 9449 section 8). */
    private HTTPResponse send(Request request, AccessToken token) throws Exception {
        var response = proven(request.make(), token).send();
        if (response.getDPoPNonce() == null || response.getDPoPNonce().equals(dpopNonce)) {
            return response;
        }
        dpopNonce = response.getDPoPNonce();
        return response.indicatesSuccess() ? response : proven(request.make(), token).send();
    }

    private HTTPRequest proven(HTTPRequest request, AccessToken token) throws Exception {
        if (sockets != null) {
            request.setSSLSocketFactory(sockets);
        }
        if (proofs != null) {
            request.setDPoP(proofs.createDPoPJWT(request.getMethod().name(), request.getURI(), token, dpopNonce));
        }
        return request;
    }

    /** The address that a person is sent to, with a signed request, which is pushed by those who push. */
    URI authorizationRequest(Asked asked, Prompt prompt) throws Exception {
        return authorizationRequest(asked, prompt, null);
    }

    /** The same for these authorization details (RFC 9396 section 3). */
    URI authorizationRequest(Asked asked, Prompt prompt, List<AuthorizationDetail> details) throws Exception {
        var request = new AuthenticationRequest.Builder(new ResponseType("code"),
                Scope.parse("openid profile offline_access"), registered.getID(),
                registered.getOIDCMetadata().getRedirectionURI())
                .state(asked.state).nonce(asked.nonce).prompt(prompt).responseMode(ResponseMode.JWT)
                .authorizationDetails(details)
                .codeChallenge(asked.verifier, CodeChallengeMethod.S256).build();
        var object = signed(request.toJWTClaimsSet());
        var signed = new AuthenticationRequest.Builder(object, registered.getID())
                .endpointURI(provider.getAuthorizationEndpointURI()).build();
        if (!pushes) {
            return signed.toURI();
        }
        var address = endpoints().getPushedAuthorizationRequestEndpointURI();
        var pushed = PushedAuthorizationResponse.parse(send(
                () -> new PushedAuthorizationRequest(address, authentication(), signed).toHTTPRequest(), null));
        if (!pushed.indicatesSuccess()) {
            throw new Refused(pushed.toErrorResponse().getErrorObject());
        }
        return new AuthenticationRequest.Builder(pushed.toSuccessResponse().getRequestURI(), registered.getID())
                .endpointURI(provider.getAuthorizationEndpointURI()).build().toURI();
    }

    SignedJWT signed(JWTClaimsSet parameters) throws Exception {
        var now = Instant.now();
        return signedAsIs(new JWTClaimsSet.Builder(parameters).issuer(registered.getID().getValue())
                .audience(provider.getIssuer().getValue()).issueTime(Date.from(now)).notBeforeTime(Date.from(now))
                .expirationTime(Date.from(now.plusSeconds(120))).jwtID(UUID.randomUUID().toString()).build());
    }

    SignedJWT signedAsIs(JWTClaimsSet claims) throws Exception {
        var key = signingKey();
        var header = new JWSHeader.Builder(algorithm()).type(new JOSEObjectType("oauth-authz-req+jwt"))
                .keyID(key.getKeyID()).build();
        var object = new SignedJWT(header, claims);
        object.sign(new DefaultJWSSignerFactory().createJWSSigner(key, algorithm()));
        return object;
    }

    /** The response in the address that a browser brings, decrypted, and with its signature verified. */
    AuthenticationResponse authorizationResponse(URI answer, Asked asked) throws Exception {
        var encrypted = answer.getRawQuery().split("response=")[1];
        expect(encrypted.split("\\.").length == 5, "the response is encrypted");
        var validator = JARMValidator.create(provider, registered, new ImmutableJWKSet<>(keys));
        var response = AuthenticationResponseParser.parse(answer, validator);
        expect(response.getState().equals(asked.state), "the response is for this request");
        return response;
    }

    OIDCTokenResponse redeem(AuthenticationResponse response, Asked asked) throws Exception {
        var redirect = registered.getOIDCMetadata().getRedirectionURI();
        var code = response.toSuccessResponse().getAuthorizationCode();
        var tokens = (OIDCTokenResponse) tokens(new AuthorizationCodeGrant(code, redirect, asked.verifier));
        IDTokenValidator.create(provider, registered, new ImmutableJWKSet<>(keys))
                .validate(tokens.getOIDCTokens().getIDToken(), asked.nonce);
        return tokens;
    }

    /** What a device shows and polls with (RFC 8628 section 3.2). */
    DeviceAuthorizationSuccessResponse askForPerson() throws Exception {
        var address = endpoints().getDeviceAuthorizationEndpointURI();
        var scope = Scope.parse("openid profile offline_access");
        var response = DeviceAuthorizationResponse.parse(send(() -> new DeviceAuthorizationRequest.Builder(authentication())
                .scope(scope).endpointURI(address).build().toHTTPRequest(), null));
        if (!response.indicatesSuccess()) {
            throw new Refused(response.toErrorResponse().getErrorObject());
        }
        return response.toSuccessResponse();
    }

    OIDCTokenResponse poll(DeviceAuthorizationSuccessResponse asked) throws Exception {
        var tokens = (OIDCTokenResponse) tokens(new DeviceCodeGrant(asked.getDeviceCode()));
        IDTokenValidator.create(provider, registered, new ImmutableJWKSet<>(keys))
                .validate(tokens.getOIDCTokens().getIDToken(), null);
        return tokens;
    }

    OIDCTokenResponse refresh(RefreshToken token) throws Exception {
        return refresh(token, null);
    }

    /** Refreshes for these of the granted authorization details (RFC 9396 section 6). */
    OIDCTokenResponse refresh(RefreshToken token, List<AuthorizationDetail> details) throws Exception {
        return (OIDCTokenResponse) tokens(new RefreshTokenGrant(token), details);
    }

    /** May it ask people who are at another device? */
    boolean asksPeople() {
        return registered.getOIDCMetadata().getGrantTypes().contains(GrantType.CIBA);
    }

    /** Asks a person who is at another device, by a signed request (CIBA Core section 7.1.1). */
    CIBARequestAcknowledgement ask(String person, String message, Integer seconds) throws Exception {
        return ask(person, message, seconds, null);
    }

    /** The same for these authorization details. */
    CIBARequestAcknowledgement ask(String person, String message, Integer seconds, List<AuthorizationDetail> details)
            throws Exception {
        var address = endpoints().getBackChannelAuthenticationEndpointURI();
        var request = new CIBARequest.Builder(authentication(), Scope.parse("openid profile offline_access"))
                .loginHint(person).bindingMessage(message).requestedExpiry(seconds).authorizationDetails(details).endpointURI(address)
                .build();
        return ask(signed(request.toJWTClaimsSet()));
    }

    /** The same with this request object. */
    CIBARequestAcknowledgement ask(SignedJWT object) throws Exception {
        var address = endpoints().getBackChannelAuthenticationEndpointURI();
        var response = CIBAResponse.parse(
                send(() -> new CIBARequest(address, authentication(), object).toHTTPRequest(), null));
        if (!response.indicatesSuccess()) {
            throw new Refused(response.toErrorResponse().getErrorObject());
        }
        return response.toRequestAcknowledgement();
    }

    /** What the person has decided. */
    OIDCTokenResponse poll(AuthRequestID asked) throws Exception {
        var tokens = (OIDCTokenResponse) tokens(new CIBAGrant(asked));
        IDTokenValidator.create(provider, registered, new ImmutableJWKSet<>(keys))
                .validate(tokens.getOIDCTokens().getIDToken(), null);
        return tokens;
    }

    TokenResponse tokens(AuthorizationGrant grant) throws Exception {
        return tokens(grant, null);
    }

    private TokenResponse tokens(AuthorizationGrant grant, List<AuthorizationDetail> details) throws Exception {
        var address = endpoints().getTokenEndpointURI();
        var response = OIDCTokenResponseParser.parse(send(
                () -> new TokenRequest.Builder(address, authentication(), grant).authorizationDetails(details).build()
                        .toHTTPRequest(), null));
        if (!response.indicatesSuccess()) {
            throw new Refused(response.toErrorResponse().getErrorObject());
        }
        return response;
    }

    TokenIntrospectionSuccessResponse introspect(AccessToken token) throws Exception {
        var address = endpoints().getIntrospectionEndpointURI();
        var response = send(() -> new TokenIntrospectionRequest(address, authentication(), token).toHTTPRequest(), null);
        return TokenIntrospectionResponse.parse(response).toSuccessResponse();
    }

    String userInfo(AccessToken token) throws Exception {
        var address = endpoints().getUserInfoEndpointURI();
        var response = UserInfoResponse.parse(send(() -> new UserInfoRequest(address, token).toHTTPRequest(), token));
        if (!response.indicatesSuccess()) {
            throw new Refused(response.toErrorResponse().getErrorObject());
        }
        return response.toSuccessResponse().getUserInfo().getSubject().getValue();
    }
}
