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
package io.millrace.efa;

import io.aeron.exceptions.ConfigurationException;
import org.agrona.SystemUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Properties are found by reflection, so that one that is added is tested too, and fails here until
 * {@code docs/configuration.md} has it.
 */
class ConfigurationTest
{
    private static final Path DOCS = Repository.ROOT.resolve("docs/configuration.md");
    private static final String CONSTANT_SUFFIX = "_PROP_NAME";

    private final SortedMap<String, String> before = new TreeMap<>();

    ConfigurationTest()
    {
        properties().forEach((constant, name) ->
        {
            final String value = System.getProperty(name);
            if (null != value)
            {
                before.put(name, value);
            }
        });
    }

    @AfterEach
    void restore()
    {
        properties().forEach((constant, name) -> System.clearProperty(name));
        before.forEach(System::setProperty);
    }

    /**
     * All constants of the module that hold the name of one of Millrace's properties.
     */
    static SortedMap<String, String> properties()
    {
        final SortedMap<String, String> found = new TreeMap<>();
        for (final Class<?> type : Repository.classes("media-driver-efa"))
        {
            for (final Field field : type.getDeclaredFields())
            {
                if (field.getName().endsWith(CONSTANT_SUFFIX) && String.class == field.getType() &&
                    Modifier.isStatic(field.getModifiers()))
                {
                    final String name = (String)Repository.constant(field);
                    if (name.startsWith("millrace."))
                    {
                        found.put(type.getSimpleName() + "." + field.getName(), name);
                    }
                }
            }
        }
        return found;
    }

    /**
     * Readers of numbers and booleans with the constant that they read.
     */
    static Stream<Method> readers()
    {
        return Arrays.stream(EfaConfiguration.class.getMethods())
            .filter((method) -> Modifier.isStatic(method.getModifiers()) && method.getReturnType().isPrimitive());
    }

    private static String property(final Method reader)
    {
        final String base = reader.getName().replaceAll("(Ns|Bytes)$", "")
            .replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
        final String name = properties().get("EfaConfiguration." + base + CONSTANT_SUFFIX);
        assertThat(name).as("constant %s of reader %s", base + CONSTANT_SUFFIX, reader.getName()).isNotNull();
        return name;
    }

    @Test
    void everyPropertyIsInTheDocumentWithItsVariableAndDefault() throws Exception
    {
        final Map<String, List<String>> rows = Repository.table(DOCS, "millrace.");
        assertThat(rows.keySet()).as("rows of " + DOCS).containsExactlyInAnyOrderElementsOf(
            properties().values().stream().distinct().toList());

        for (final Map.Entry<String, String> entry : properties().entrySet())
        {
            final List<String> row = rows.get(entry.getValue());
            assertThat(row).as(entry.getKey()).hasSize(5).noneMatch(String::isBlank);
            assertThat(row.get(1)).as("variable of " + entry.getValue())
                .contains("`" + PropertySource.environmentName(entry.getValue()) + "`");
            assertDefault(entry.getKey(), row.get(2).replace("`", ""), row.get(3));
        }
    }

    private static void assertDefault(final String constant, final String documented, final String unit)
        throws Exception
    {
        for (final Field field : EfaConfiguration.class.getFields())
        {
            final String base = constant.substring(constant.indexOf('.') + 1).replace(CONSTANT_SUFFIX, "_DEFAULT");
            if (constant.startsWith("EfaConfiguration.") && field.getName().startsWith(base))
            {
                final Object value = field.get(null);
                final Object parsed =
                    unit.startsWith("duration") ? (Object)SystemUtil.parseDuration(constant, documented) :
                    unit.startsWith("size") ? (Object)SystemUtil.parseSize(constant, documented) : documented;
                assertThat(parsed.toString()).as("documented default of " + constant).isEqualTo(value.toString());
            }
        }
    }

    @Test
    void everyPropertyOfTheDriverIsKnownByName()
    {
        assertThat(PropertyNames.known()).containsExactlyInAnyOrderElementsOf(
            properties().values().stream().distinct().toList());
    }

    @ParameterizedTest
    @MethodSource("readers")
    void aBadValueIsAnErrorThatNamesValueRuleAndRemedy(final Method reader)
    {
        final String name = property(reader);
        for (final String bad : List.of("", "many", "1x", "- 1", "1.5", "0x10", "-99999999999999999999",
            "99999999999999999999", "tru", "1 s"))
        {
            System.setProperty(name, bad);
            assertThatThrownBy(() -> invoke(reader))
                .as(name + "=" + bad)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(name + "=" + bad + ": ")
                .hasMessageContaining(" is needed; correct the property or the variable " +
                    PropertySource.environmentName(name))
                .hasMessageContaining("for the default ");
            assertThatThrownBy(() -> new EfaContext().conclude()).isInstanceOf(ConfigurationException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("readers")
    void aContextWinsOverThePropertyAndThePropertyOverTheDefault(final Method reader) throws Exception
    {
        final String name = property(reader);
        final Object defaultValue = invoke(reader);
        final Method getter = EfaContext.class.getMethod(reader.getName());
        final Method setter = EfaContext.class.getMethod(reader.getName(), reader.getReturnType());
        final Object other = other(defaultValue, 1);
        final Object another = other(defaultValue, 2);

        assertThat(getter.invoke(new EfaContext().conclude())).isEqualTo(defaultValue);
        System.setProperty(name, reader.getName().endsWith("Ns") ? other + "ns" : other.toString());
        assertThat(getter.invoke(new EfaContext().conclude())).as(name).isEqualTo(other);
        if (!(defaultValue instanceof Boolean))
        {
            final EfaContext context = (EfaContext)setter.invoke(new EfaContext(), another);
            assertThat(getter.invoke(context.conclude())).as(name).isEqualTo(another);
        }

        System.clearProperty(name);
        if (!(defaultValue instanceof Boolean))
        {
            final Object bad = defaultValue instanceof Integer ? (Object)Integer.MIN_VALUE : (Object)Long.MIN_VALUE;
            final EfaContext context = (EfaContext)setter.invoke(new EfaContext(), bad);
            assertThatThrownBy(context::conclude)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(name + "=" + bad).hasMessageContaining("set on the context");
        }
    }

    private static Object other(final Object value, final int step)
    {
        return value instanceof final Boolean flag ? (Object)!flag :
            value instanceof final Integer number ? (Object)(number + step) : (Object)((Long)value + step);
    }

    private static Object invoke(final Method reader) throws Exception
    {
        try
        {
            return reader.invoke(null);
        }
        catch (final InvocationTargetException ex)
        {
            throw (Exception)ex.getCause();
        }
    }

    @ParameterizedTest
    @CsvSource({ "1, 2, 1", "1, , 1", ", 2, 2", ", , none", "' a ', 2, a", ", '', none", "'', 2, ''" })
    void aPropertyWinsOverItsVariable(final String property, final String variable, final String expected)
    {
        final PropertySource source = new PropertySource(
            (name) -> "millrace.efa.x".equals(name) ? property : null,
            (name) -> "MILLRACE_EFA_X".equals(name) ? variable : null);
        assertThat(source.text("millrace.efa.x", "none")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({ "64k, 65536", "2M, 2097152", "1g, 1073741824", "4096, 4096" })
    void aSizeMayHaveAUnit(final String text, final long bytes)
    {
        assertThat(of(text).sizeBytes("s", 1, 0, Integer.MAX_VALUE)).isEqualTo(bytes);
        assertThatThrownBy(() -> of(text).sizeBytes("s", 1, 0, bytes - 1))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("s=" + text);
    }

    @ParameterizedTest
    @CsvSource({ "7ns, 7", "7us, 7000", "7ms, 7000000", "7s, 7000000000", "7, 7" })
    void aDurationMayHaveAUnit(final String text, final long nanos)
    {
        assertThat(of(text).durationNs("d", 1, 0)).isEqualTo(nanos);
    }

    @ParameterizedTest
    @CsvSource({ "true, true", "TRUE, true", "false, false", "yes,", "1,", "'',", "truee," })
    void aBooleanIsReadByItsValue(final String text, final Boolean expected)
    {
        if (null != expected)
        {
            assertThat(of(text).flag("b", !expected)).isEqualTo(expected);
        }
        else
        {
            assertThatThrownBy(() -> of(text).flag("b", true))
                .isInstanceOf(ConfigurationException.class).hasMessageContaining("true or false is needed");
        }
    }

    private static PropertySource of(final String text)
    {
        return new PropertySource((name) -> text, (name) -> null);
    }

    @Test
    void anUnknownNameIsAnsweredWithTheNearest()
    {
        assertThat(PropertyNames.unknown(
            List.of("millrace.efa.rail.slot", "millrace.efa.rails", "aeron.dir", "Millrace.EFA.nics",
            "millrace.protocol", "millrace.libfabric.file", "millrace.bridge.device", "millrace.kv.channel",
            "millrace.archive.replay.channel", "millrace.acl.library", "millrace.kv.staging", "millrace.kv.nic"),
            List.of("MILLRACE_EFA_NAK_DELY", "MILLRACE_EFA_RAILS", "MILLRACE_PROTOCOL", "PATH")))
            .containsExactly(
                "property Millrace.EFA.nics is not known and has no effect: did you mean millrace.efa.nics?",
                "property millrace.efa.rail.slot is not known and has no effect: did you mean millrace.efa.rail.slots?",
                "property millrace.libfabric.file is not known and has no effect: did you mean " +
                "millrace.libfabric.path?",
                "property millrace.protocol is not known and has no effect: did you mean millrace.efa.protocol?",
                "environment variable MILLRACE_EFA_NAK_DELY is not known and has no effect: did you mean " +
                "MILLRACE_EFA_NAK_DELAY?");
    }

    @Test
    void aWordOrNameThatIsNotThereIsAnError()
    {
        assertThatThrownBy(() -> ProtocolChoice.select(new EfaContext().protocol("pigeon")))
            .hasMessageContaining("unknown protocol 'pigeon'").hasMessageContaining("one of auto, efa, tcp, shm, udp");
        assertThatThrownBy(() -> ProtocolChoice.select(new EfaContext().protocol("shm").nics("nowhere")))
            .hasMessageContaining("names 'nowhere' which is not there; present: [shm]");
        assertThatThrownBy(() -> new EfaContext().linkTimeoutNs(500_000_000).conclude())
            .hasMessageContaining("millrace.efa.link.timeout=500000000ns has to exceed");
    }
}
