package meshgate.confluence;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.MalformedURLException;
import java.net.URI;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.Date;
import java.util.Set;

/** Verifies the gateway's assertions: signature, typ, issuer, audience, subject and times. */
final class Assertions {
    private static final int SKEW_SECONDS = 5;

    private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

    /**
     * @param issuer   gateway.assertion.issuer of the policy
     * @param audience the name of the service in the policy
     * @param keys     the gateway's /.meshgate/jwks, or the path of a file with a copy. Nimbus keeps the keys for five
     *                 minutes, and asks for an unknown key at most every 30 seconds.
     */
    Assertions(String issuer, String audience, String keys) {
        var source = JWKSourceBuilder.create(locationOf(keys)).build();
        var expected = new JWTClaimsSet.Builder().issuer(issuer).build();
        var rules = new DefaultJWTClaimsVerifier<SecurityContext>(audience, expected, Set.of("exp", "iat", "sub"));
        rules.setMaxClockSkew(SKEW_SECONDS);
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("meshgate+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, source));
        processor.setJWTClaimsSetVerifier((claims, context) -> {
            rules.verify(claims, context);
            // For Nimbus, a claim that is null is present, and iat may be in the future.
            var latest = new Date(System.currentTimeMillis() + SKEW_SECONDS * 1000L);
            var issued = claims.getIssueTime();
            if (claims.getExpirationTime() == null || issued == null || issued.after(latest)) {
                throw new BadJWTException("the times do not hold");
            }
        });
    }

    /** Returns the claims of a valid assertion. */
    JWTClaimsSet verify(String assertion) throws ParseException, BadJOSEException, JOSEException {
        var token = SignedJWT.parse(assertion);
        // Nimbus accepts an empty list of extensions (RFC 7515 section 4.1.11).
        if (token.getHeader().getCriticalParams() != null) {
            throw new BadJWTException("an extension that must be understood");
        }
        var claims = processor.process(token, null);
        // Nimbus makes a text of any subject.
        if (!(token.getPayload().toJSONObject().get("sub") instanceof String subject) || subject.isEmpty()) {
            throw new BadJWTException("no subject");
        }
        return claims;
    }

    /** Keys that come over a network without TLS could be anyone's. */
    private static java.net.URL locationOf(String keys) {
        try {
            if (keys.startsWith("/")) return Path.of(keys).toUri().toURL();
            var uri = URI.create(keys);
            var isLocal = Set.of("localhost", "127.0.0.1").contains(String.valueOf(uri.getHost()));
            if ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()) && isLocal) return uri.toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException("meshgate.jwks is not a URL", e);
        }
        throw new IllegalArgumentException("meshgate.jwks: write an https: URL or the path of a file");
    }
}
