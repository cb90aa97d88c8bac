import com.atlassian.seraph.auth.DefaultAuthenticator;
import java.lang.reflect.Proxy;
import java.security.Principal;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpSession;
import meshgate.confluence.MeshgateAuthenticator;

/**
 * Asks the authenticator about each request on standard input: the person in the session (with `=`: of the
 * gateway), the assertions with spaces
 * between them or `empty` for an empty header, names and values of further headers, all with tabs between them. The arguments are its init-params.
 */
public class Ask {
    public static void main(String[] args) throws Exception {
        var settings = new HashMap<String, String>();
        for (var i = 0; i < args.length; i += 2) settings.put(args[i], args[i + 1]);
        var authenticator = new MeshgateAuthenticator();
        authenticator.init(settings, null);
        for (var line : new String(System.in.readAllBytes()).split("\n")) System.out.println(ask(authenticator, line.split("\t", -1)));
    }

    static String ask(MeshgateAuthenticator authenticator, String[] parts) {
        var headers = new HashMap<String, List<String>>();
        if (parts[1].equals("empty")) headers.put("x-meshgate-assertion", List.of(""));
        else if (!parts[1].isEmpty()) headers.put("x-meshgate-assertion", List.of(parts[1].split(" ")));
        for (var i = 2; i + 1 < parts.length; i += 2) headers.put(parts[i].toLowerCase(), List.of(parts[i + 1]));
        var ended = new boolean[1];
        var stored = new HashMap<String, Object>();
        Principal person = () -> parts[0];
        if (parts[0].startsWith("=")) stored.put(MeshgateAuthenticator.class.getName() + ".owner", parts[0].substring(1));
        else if (!parts[0].isEmpty()) stored.put(DefaultAuthenticator.LOGGED_IN_KEY, person);
        var session = (HttpSession) Proxy.newProxyInstance(Ask.class.getClassLoader(), new Class<?>[] {HttpSession.class}, (self, method, given) ->
            switch (method.getName()) {
                case "getAttribute" -> stored.get(given[0]);
                case "setAttribute" -> stored.put((String) given[0], given[1]) == null ? null : null;
                case "invalidate" -> { ended[0] = true; yield null; }
                default -> throw new UnsupportedOperationException(method.getName());
            });
        var attributes = new HashMap<String, Object>();
        var request = (HttpServletRequest) Proxy.newProxyInstance(Ask.class.getClassLoader(), new Class<?>[] {HttpServletRequest.class}, (self, method, given) ->
            switch (method.getName()) {
                case "getHeaders" -> Collections.enumeration(valuesOf(headers, given[0]));
                case "getHeader" -> valuesOf(headers, given[0]).stream().findFirst().orElse(null);
                case "getSession" -> session;
                case "getAttribute" -> attributes.get(given[0]);
                case "setAttribute" -> attributes.put((String) given[0], given[1]) == null ? null : null;
                default -> throw new UnsupportedOperationException(method.getName());
            });
        var user = authenticator.getUser(request, null);
        // Confluence asks several times in one request.
        if (!String.valueOf(user).equals(String.valueOf(authenticator.getUser(request, null)))) return "another answer";
        return (user == null ? "-" : user.getName()) + (ended[0] ? " ended" : "");
    }

    private static List<String> valuesOf(Map<String, List<String>> headers, Object name) {
        return headers.getOrDefault(((String) name).toLowerCase(), List.of());
    }
}
