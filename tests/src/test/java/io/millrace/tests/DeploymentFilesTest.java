/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */
package io.millrace.tests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Files for machines that tests have none of: container, pod, alerts and dashboard say what their readers take, and fit
 * each other and the tool.
 */
class DeploymentFilesTest
{
    private static final Path PACKAGING = Tool.ROOT.resolve("packaging");
    private static final String EXPORTER_PORT = "9464";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Pattern COPY = Pattern.compile("^COPY --from=build (\\S+) ", Pattern.MULTILINE);
    private static final Pattern ENTRY_POINT = Pattern.compile("^ENTRYPOINT (\\[.*\\])", Pattern.MULTILINE);

    @TempDir
    private Path directory;

    private static JsonNode yaml(final String file) throws IOException
    {
        return MAPPER.valueToTree(new Yaml().load(Files.readString(PACKAGING.resolve(file))));
    }

    private static List<String> texts(final JsonNode array)
    {
        return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
    }

    @Test
    void containersOfThePodFitTogether() throws IOException
    {
        final JsonNode pod = yaml("kubernetes/millrace.yaml");
        assertThat(pod.at("/kind").asText()).isEqualTo("Pod");
        assertThat(pod.at("/metadata/annotations/prometheus.io~1port").asText()).isEqualTo(EXPORTER_PORT);
        final Set<String> volumes = new HashSet<>(pod.at("/spec/volumes").findValuesAsText("name"));
        final JsonNode containers = pod.at("/spec/containers");
        assertThat(containers).hasSize(3).allSatisfy((container) ->
        {
            assertThat(container.path("image").asText()).isNotEmpty();
            assertThat(container.path("volumeMounts").findValuesAsText("mountPath")).contains("/dev/shm");
            assertThat(volumes).containsAll(container.path("volumeMounts").findValuesAsText("name"));
        });
        final JsonNode driver = containers.get(0);
        final JsonNode metrics = containers.get(1);
        final String home = containers.get(2).at("/env/0/value").asText();
        assertThat(texts(driver.get("args"))).contains("-Daeron.dir=" + home);
        assertThat(texts(metrics.get("command"))).contains(home);
        assertThat(metrics.at("/ports/0/containerPort").asText()).isEqualTo(EXPORTER_PORT);
        assertThat(metrics.at("/readinessProbe/httpGet/port").asText()).isEqualTo(EXPORTER_PORT);
        assertThat(driver.at("/resources/limits/vpc.amazonaws.com~1efa").asInt()).isPositive();

        // What the machine has no EFA for is another protocol; all else is taken as it stands.
        final List<String> arguments = new ArrayList<>(List.of("driver", "--print-config"));
        texts(driver.get("args")).forEach((argument) -> arguments.add(argument.replace("=efa", "=shm")));
        final Tool config = Tool.run(directory, arguments.toArray(String[]::new));
        assertThat(config.process().exitValue()).as(config::toString).isZero();
        assertThat(config.out()).contains(home, "8128");
        final List<String> command = texts(metrics.get("command"));
        final List<String> exporter = new ArrayList<>(
            command.subList(command.indexOf("io.millrace.samples.Millrace") + 1, command.size()));
        exporter.add("--once");
        final Tool once = Tool.run(directory, exporter.toArray(String[]::new));
        assertThat(once.out()).as(once::toString).contains("aeron_driver_up{dir=\"" + home + "\"} ");
    }

    @Test
    void alertsSayWhatIsWrongAndWhereToLook() throws IOException
    {
        final JsonNode scrape = yaml("prometheus/prometheus.yml");
        assertThat(texts(scrape.get("rule_files")))
            .allSatisfy((file) -> assertThat(PACKAGING.resolve("prometheus").resolve(file)).isRegularFile());
        final String job = scrape.at("/scrape_configs/0/job_name").asText();
        assertThat(scrape.at("/scrape_configs/0/static_configs/0/targets/0").asText()).endsWith(":" + EXPORTER_PORT);

        final String text = Files.readString(PACKAGING.resolve("prometheus/millrace-alerts.yml"));
        assertThat(text).contains("job=\"" + job + "\"");
        final JsonNode rules = yaml("prometheus/millrace-alerts.yml").at("/groups/0/rules");
        assertThat(rules.findValuesAsText("alert")).hasSizeGreaterThan(10).doesNotHaveDuplicates();
        assertThat(rules).allSatisfy((rule) ->
        {
            assertBalanced(rule.get("expr").asText());
            assertThat(rule.at("/labels/severity").asText()).isIn("warning", "critical");
            assertThat(rule.at("/annotations/summary").asText()).contains("$labels");
            assertThat(rule.at("/annotations/description").asText()).isNotEmpty();
        });
    }

    @Test
    void panelsOfTheDashboardHaveQueriesAndPlacesOfTheirOwn() throws IOException
    {
        final JsonNode dashboard = MAPPER.readTree(PACKAGING.resolve("grafana/millrace.json").toFile());
        final Set<String> variables = new HashSet<>(dashboard.at("/templating/list").findValuesAsText("name"));
        assertThat(variables).contains("datasource", "instance");
        final Set<Integer> ids = new HashSet<>();
        final Set<List<Integer>> cells = new HashSet<>();
        for (final JsonNode panel : dashboard.get("panels"))
        {
            final String title = panel.get("title").asText();
            assertThat(ids.add(panel.get("id").asInt())).as(title).isTrue();
            final JsonNode place = panel.get("gridPos");
            for (int x = 0; x < place.get("w").asInt(); x++)
            {
                for (int y = 0; y < place.get("h").asInt(); y++)
                {
                    assertThat(place.get("x").asInt() + x).as(title).isLessThan(24);
                    assertThat(cells.add(List.of(place.get("x").asInt() + x, place.get("y").asInt() + y)))
                        .as("the place of " + title + " is its own").isTrue();
                }
            }
            if (!"row".equals(panel.get("type").asText()))
            {
                assertThat(panel.get("targets")).as(title).isNotEmpty().allSatisfy((target) ->
                {
                    assertThat(target.get("expr").asText()).contains("instance=~\"$instance\"");
                    assertBalanced(target.get("expr").asText());
                });
            }
        }
    }

    private static void assertBalanced(final String expression)
    {
        int depth = 0;
        for (final char c : expression.toCharArray())
        {
            depth += "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
            assertThat(depth).as(expression).isNotNegative();
        }
        assertThat(depth).as(expression).isZero();
    }

    @Test
    void theContainerStartsTheDriverOfWhatItBuilt() throws IOException
    {
        // Continued lines are one.
        final String file = Files.readString(PACKAGING.resolve("docker/Dockerfile")).replace("\\\n", "");
        final Matcher entryPoint = ENTRY_POINT.matcher(file);
        assertThat(entryPoint.find()).isTrue();
        assertThat(texts(MAPPER.readTree(entryPoint.group(1)))).startsWith("java")
            .endsWith("-cp", "/opt/millrace/lib/*", "io.millrace.samples.Millrace", "driver")
            .containsSequence("--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED")
            .contains("--enable-native-access=ALL-UNNAMED");
        assertThat(COPY.matcher(file).results().map((copy) -> copy.group(1)))
            .containsExactly("/build/lib", "/build/samples/target/*.jar");
        // Else the class path would hold the jars with everything in them, sources and javadoc too.
        assertThat(file.lines().filter((line) -> line.startsWith("RUN mvn"))
            .flatMap((line) -> Stream.of(line.split("&&")))).hasSize(2)
            .allMatch((command) -> command.contains(" -Dmillrace.quick "));
        assertThat(file).doesNotContain("libfabric-").contains("USER millrace");
    }
}
