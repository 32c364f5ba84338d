package chancery;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** One page, for people who are signed in: everything else is what Spring Boot does by itself. */
@SpringBootApplication
@RestController
public class Main {
    public static void main(String[] arguments) {
        SpringApplication.run(Main.class, arguments);
    }

    @GetMapping("/")
    String greeting(@AuthenticationPrincipal OidcUser person) {
        return "Hello " + person.getFullName() + ", " + person.getEmail();
    }
}
